#include "clock.h"

#include <limits>

#include <time.h>

namespace mapscope {

namespace {

int64_t Nanoseconds(clockid_t clock) {
    struct timespec now = {};
    clock_gettime(clock, &now); /* cannot fail for these clocks */
    return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace

/* The thread may lose its processor between two readings, for many milliseconds: the tightest of several
 * counts. */
int64_t MonotonicToEpoch() {
    constexpr int kReadings = 8;
    int64_t tightest = std::numeric_limits<int64_t>::max(), offset = 0;
    for (int i = 0; i < kReadings; i++) {
        const int64_t before = Nanoseconds(CLOCK_MONOTONIC);
        const int64_t epoch = Nanoseconds(CLOCK_REALTIME);
        const int64_t after = Nanoseconds(CLOCK_MONOTONIC);
        if (after - before < tightest) {
            tightest = after - before;
            offset = epoch - (before + tightest / 2);
        }
    }
    return offset;
}

} // namespace mapscope
