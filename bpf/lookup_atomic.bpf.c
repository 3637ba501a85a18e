/*
 * The lookup program for kernels without sleepable uprobes: memory that is not present makes a lookup
 * unreadable.
 */
#define SLEEPABLE 0
#include "lookup.bpf.h"
