/* The kernel's clocks. */
#ifndef MAPSCOPE_NATIVE_CLOCK_H
#define MAPSCOPE_NATIVE_CLOCK_H

#include <cstdint>

namespace mapscope {

/** What to add to CLOCK_MONOTONIC to have nanoseconds since 1970. Changes when the system's time is set. */
int64_t MonotonicToEpoch();

} // namespace mapscope

#endif
