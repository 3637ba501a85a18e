/* Both ways of attaching uprobes; see uprobe_links.h. */
#include "uprobe_links.h"

#include <cerrno>

#include "kernel_abi.h"
#include "libbpf_log.h"

namespace mapscope {

namespace {

std::string Attempted(const std::string &what, const ProbeSites &sites) {
    return "cannot attach " + what + " of " + sites.path + " in process " + std::to_string(sites.pid);
}

} // namespace

Status UprobeLinks::Attach(const BpfObject &object, AttachMethod method, const ProbeSites &sites) {
    return method == AttachMethod::kUprobeMulti ? AttachMulti(object, sites)
                                                : AttachPerfEvents(object, sites);
}

Status UprobeLinks::AttachMulti(const BpfObject &object, const ProbeSites &sites) {
    UprobeMultiLinkAttributes attributes = {};
    attributes.program_fd = object.program_fd();
    attributes.attach_type = kTraceUprobeMulti;
    attributes.path = reinterpret_cast<uintptr_t>(sites.path.c_str());
    attributes.offsets = reinterpret_cast<uintptr_t>(sites.offsets.data());
    attributes.cookies = reinterpret_cast<uintptr_t>(sites.cookies.data());
    attributes.count = sites.offsets.size();
    attributes.pid = sites.pid;
    multi_link_ = UniqueFd(CreateUprobeMultiLink(attributes));
    if (!multi_link_)
        return SystemFailure(Attempted("to " + std::to_string(sites.offsets.size()) + " instructions", sites),
                             errno);
    return {};
}

Status UprobeLinks::AttachPerfEvents(const BpfObject &object, const ProbeSites &sites) {
    LibbpfLog log; /* its warnings only repeat the errno */
    for (size_t i = 0; i < sites.offsets.size(); i++) {
        struct bpf_uprobe_opts options = {};
        options.sz = sizeof(options);
        options.bpf_cookie = sites.cookies[i];
        /*
         * perf_event_open() takes a thread here, but a uprobe filters by address space: the breakpoint is hit
         * by, and the program runs for, every thread of the process, those yet to be started included.
         */
        struct bpf_link *link = bpf_program__attach_uprobe_opts(
            object.program(), sites.pid, sites.path.c_str(), sites.offsets[i], &options);
        if (link == nullptr) {
            const int error = errno;
            Close();
            Failure failure = SystemFailure(
                Attempted("to the instruction at offset " + Hex(sites.offsets[i]), sites), error);
            if (error == EACCES ||
                error == EPERM) /* Linux 5.8 let CAP_PERFMON do; 2025's stable kernels do not */
                failure.sentence += " (uprobes through perf events need CAP_SYS_ADMIN)";
            return failure;
        }
        perf_links_.emplace_back(link);
    }
    return {};
}

void UprobeLinks::Close() {
    multi_link_.Close();
    perf_links_.clear();
}

} // namespace mapscope
