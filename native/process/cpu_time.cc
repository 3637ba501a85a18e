/* Reads a process's CPU clock; see cpu_time.h. */
#include "native/process/cpu_time.h"

#include <cerrno>
#include <ctime>

namespace mapscope {

Result<double> CpuSeconds(pid_t pid) {
    clockid_t clock;
    struct timespec time;
    int error = clock_getcpuclockid(pid, &clock);
    if (error == 0 && clock_gettime(clock, &time))
        error = errno;
    if (error)
        return SystemFailure("cannot read the CPU time of process " + std::to_string(pid), error);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

} // namespace mapscope
