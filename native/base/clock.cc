/* Reads clocks; see clock.h. */
#include "native/base/clock.h"

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

uint64_t MonotonicNow() { return Nanoseconds(CLOCK_MONOTONIC); }

double ThreadCpuSeconds() { return static_cast<double>(Nanoseconds(CLOCK_THREAD_CPUTIME_ID)) * 1e-9; }

int64_t BootNow() { return Nanoseconds(CLOCK_BOOTTIME); }

/* The thread may lose its processor between two readings, for many milliseconds: the tightest of several
 * counts. */
int64_t BootToEpoch() {
    constexpr int kReadings = 8;
    int64_t tightest = std::numeric_limits<int64_t>::max(), offset = 0;
    for (int i = 0; i < kReadings; i++) {
        const int64_t before = BootNow();
        const int64_t epoch = Nanoseconds(CLOCK_REALTIME);
        const int64_t after = BootNow();
        if (after - before < tightest) {
            tightest = after - before;
            offset = epoch - (before + tightest / 2);
        }
    }
    return offset;
}

} // namespace mapscope
