/*
 * The lookup program for kernels with sleepable uprobes (Linux 6.0): memory that is not present is faulted
 * in, as the target itself would a moment later, so that no lookup is unreadable for that reason.
 */
#define SLEEPABLE 1
#include "lookup.bpf.h"
