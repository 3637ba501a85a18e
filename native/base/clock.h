/* The kernel's clocks. */
#ifndef MAPSCOPE_NATIVE_BASE_CLOCK_H
#define MAPSCOPE_NATIVE_BASE_CLOCK_H

#include <cstdint>

namespace mapscope {

/** CLOCK_MONOTONIC in nanoseconds: the clock of bpf_ktime_get_ns(). */
uint64_t MonotonicNow();

/** CPU time of the calling thread in seconds. */
double ThreadCpuSeconds();

/** CLOCK_BOOTTIME in nanoseconds, which goes on while the machine sleeps: the clock of
 * bpf_ktime_get_boot_ns(). */
int64_t BootNow();

/** What to add to CLOCK_BOOTTIME to have nanoseconds since 1970. Changes when the system's time is set. */
int64_t BootToEpoch();

} // namespace mapscope

#endif
