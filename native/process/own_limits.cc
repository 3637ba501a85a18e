/* Limits of this process; see own_limits.h. */
#include "native/process/own_limits.h"

#include <cerrno>
#include <csignal>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace mapscope {

Status LimitThisProcess(uint32_t cpu_seconds) {
    /* Both limits are the same: at the lower one alone there would be a signal that dumps core. */
    const struct rlimit seconds = {cpu_seconds, cpu_seconds};
    if (setrlimit(RLIMIT_CPU, &seconds) || prctl(PR_SET_PDEATHSIG, SIGKILL))
        return SystemFailure("cannot limit this process", errno);
    return {};
}

} // namespace mapscope
