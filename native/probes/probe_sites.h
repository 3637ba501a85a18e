/* What is probed: instructions of one file, in one process. */
#ifndef MAPSCOPE_NATIVE_PROBES_PROBE_SITES_H
#define MAPSCOPE_NATIVE_PROBES_PROBE_SITES_H

#include <cstdint>
#include <string>
#include <vector>

#include "native/base/clock.h"
#include "native/base/failure.h"

namespace mapscope {

struct ProbeSites {
    std::string path; /* of the executable, as this process can open it */
    int32_t pid;
    std::vector<uint64_t> offsets; /* into the file */
    std::vector<uint64_t> cookies; /* one per offset */
    uint32_t busy = 0;             /* the last so many of them are hit far more often than the others */
    uint64_t proof =
        0; /* run-time address of one of them, where a breakpoint must be then; 0: not looked at */
};

/** Begins the sentence of a failure. */
inline std::string AttemptedAttach(const std::string &what, const ProbeSites &sites) {
    return "cannot attach " + what + " of " + sites.path + " in process " + std::to_string(sites.pid);
}

/** A failure to open a perf event of an instruction. */
inline Failure PerfEventFailure(const ProbeSites &sites, uint64_t offset, int error) {
    Failure failure =
        SystemFailure(AttemptedAttach("to the instruction at offset " + Hex(offset), sites), error);
    if (error == EACCES || error == EPERM) /* Linux 5.8 let CAP_PERFMON do; 2025's stable kernels do not */
        failure.sentence += " (uprobes through perf events need CAP_SYS_ADMIN)";
    return failure;
}

/** For how long locks are kept by all sites, in and out, when some of them have gone in since then. */
inline double LockedSeconds(uint64_t since, size_t some, size_t all) {
    const double seconds = static_cast<double>(MonotonicNow() - since) * 1e-9;
    return 2 * seconds / static_cast<double>(some) * static_cast<double>(all);
}

} // namespace mapscope

#endif
