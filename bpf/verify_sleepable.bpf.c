/*
 * The verifying program for kernels with sleepable uprobes (Linux 6.0): memory that is not present is faulted
 * in, as the target itself would a moment later.
 */
#define SLEEPABLE 1
#include "verify.bpf.h"
