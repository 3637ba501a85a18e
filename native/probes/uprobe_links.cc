/* Both ways of attaching uprobes; see uprobe_links.h. */
#include "native/probes/uprobe_links.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <pthread.h>

#include "native/base/clock.h"
#include "native/bpf/libbpf_log.h"
#include "native/bpf/uprobe_multi.h"
#include "native/process/target_memory.h"

namespace mapscope {

namespace {

std::string Attempted(const std::string &what, const ProbeSites &sites) {
    return "cannot attach " + what + " of " + sites.path + " in process " + std::to_string(sites.pid);
}

/* int3, the first byte of a probed instruction: UPROBE_SWBP_INSN of x86. */
constexpr uint8_t kBreakpoint = 0xcc;

/* Until the breakpoints of busy sites are out, as a rule. */
constexpr struct timespec kHeadStart = {0, 300'000};

/* Of all sites, in and out, when some of them have gone in since then. */
double LockedSeconds(uint64_t since, size_t some, size_t all) {
    const double seconds = static_cast<double>(MonotonicNow() - since) * 1e-9;
    return 2 * seconds / static_cast<double>(some) * static_cast<double>(all);
}

void *CloseLater(void *link) {
    nanosleep(&kHeadStart, nullptr);
    static_cast<UniqueFd *>(link)->Close();
    return nullptr;
}

} // namespace

Status UprobeLinks::Attach(const BpfObject &object, AttachMethod method, const ProbeSites &sites) {
    Status failure =
        method == AttachMethod::kUprobeMulti ? AttachMulti(object, sites) : AttachPerfEvents(object, sites);
    if (!failure && sites.proof != 0) {
        failure = CheckArrival(sites);
        if (failure)
            Close();
    }
    return failure;
}

/*
 * The kernel puts breakpoints into the mappings of the file's inode, and does not mind when there are none.
 */
Status UprobeLinks::CheckArrival(const ProbeSites &sites) {
    uint8_t byte = 0;
    if (Status failure = ReadMemory(sites.pid, sites.proof, &byte, sizeof(byte)))
        return failure;
    if (byte != kBreakpoint)
        return SystemFailure("breakpoints in " + sites.path + " do not arrive in process " +
                                 std::to_string(sites.pid),
                             ESTALE);
    return {};
}

/*
 * Each breakpoint that goes in or out takes the target's memory lock for writing, and whoever hits another
 * one meanwhile may have to wait for that, as the writer then waits for him. With a busy target that takes
 * milliseconds, full of hits that nobody needs. So sites that are hit often are in for as short as possible.
 */
Status UprobeLinks::AttachMulti(const BpfObject &object, const ProbeSites &sites) {
    const size_t count = sites.offsets.size(), quiet = count - std::min<size_t>(sites.busy, count);
    locked_seconds_.reset();
    auto link = LinkMulti(object, sites, 0, quiet == 0 ? count : quiet);
    if (!link)
        return link.failure();
    multi_link_ = std::move(*link);
    if (quiet == 0 || quiet == count)
        return {};
    const uint64_t start = MonotonicNow();
    auto busy = LinkMulti(object, sites, quiet, count);
    if (!busy) {
        Close();
        return busy.failure();
    }
    locked_seconds_ = LockedSeconds(start, count - quiet, count);
    busy_link_ = std::move(*busy);
    return {};
}

/* Some of the sites in one link. */
Result<UniqueFd> UprobeLinks::LinkMulti(const BpfObject &object, const ProbeSites &sites, size_t from,
                                        size_t to) {
    UprobeMultiLinkAttributes attributes = {};
    attributes.program_fd = object.program_fd();
    attributes.attach_type = kTraceUprobeMulti;
    attributes.path = reinterpret_cast<uintptr_t>(sites.path.c_str());
    attributes.offsets = reinterpret_cast<uintptr_t>(sites.offsets.data() + from);
    attributes.cookies = reinterpret_cast<uintptr_t>(sites.cookies.data() + from);
    attributes.count = to - from;
    attributes.pid = sites.pid;
    UniqueFd link(CreateUprobeMultiLink(attributes));
    if (!link)
        return SystemFailure(Attempted("to " + std::to_string(to - from) + " instructions", sites), errno);
    return link;
}

Status UprobeLinks::AttachPerfEvents(const BpfObject &object, const ProbeSites &sites) {
    LibbpfLog log; /* its warnings only repeat the errno */
    locked_seconds_.reset();
    uint64_t after_first = 0;
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
        if (i == 0)
            after_first = MonotonicNow();
    }
    if (perf_links_.size() > 1)
        locked_seconds_ = LockedSeconds(after_first, perf_links_.size() - 1, perf_links_.size());
    return {};
}

/* The kernel takes a link's breakpoints out at once and waits for RCU then. The quiet sites' need not wait
 * for that to end. */
void UprobeLinks::Close() {
    pthread_t closing;
    const bool apart = busy_link_ && pthread_create(&closing, nullptr, CloseLater, &multi_link_) == 0;
    busy_link_.Close();
    if (apart)
        pthread_join(closing, nullptr);
    multi_link_.Close();
    perf_links_.clear();
}

} // namespace mapscope
