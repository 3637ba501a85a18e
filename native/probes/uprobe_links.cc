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

/* int3, the first byte of a probed instruction: UPROBE_SWBP_INSN of x86. */
constexpr uint8_t kBreakpoint = 0xcc;

/* Until the breakpoints of busy sites are out, as a rule. */
constexpr struct timespec kHeadStart = {0, 300'000};

void *CloseLater(void *link) {
    nanosleep(&kHeadStart, nullptr);
    static_cast<UniqueFd *>(link)->Close();
    return nullptr;
}

} // namespace

Status UprobeLinks::Attach(const BpfObject &object, AttachMethod method, const ProbeSites &sites) {
    return CheckArrival(method == AttachMethod::kUprobeMulti ? AttachMulti(object, sites)
                                                             : AttachPerfEvents(object, sites),
                        sites);
}

Status UprobeLinks::AttachBriefly(const BpfObject &object, AttachMethod method, const ProbeSites &sites) {
    if (method == AttachMethod::kUprobeMulti)
        return Attach(object, method, sites);
    Status failure = window_events_.Open(object, sites);
    locked_seconds_ = window_events_.locked_seconds();
    return CheckArrival(std::move(failure), sites);
}

/*
 * The kernel puts breakpoints into the mappings of the file's inode, and does not mind when there are none.
 */
Status UprobeLinks::CheckArrival(Status failure, const ProbeSites &sites) {
    if (failure || sites.proof == 0)
        return failure;
    uint8_t byte = 0;
    failure = ReadMemory(sites.pid, sites.proof, &byte, sizeof(byte));
    if (!failure && byte != kBreakpoint)
        failure = SystemFailure("breakpoints in " + sites.path + " do not arrive in process " +
                                    std::to_string(sites.pid),
                                ESTALE);
    if (failure)
        Close();
    return failure;
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
        return SystemFailure(AttemptedAttach("to " + std::to_string(to - from) + " instructions", sites),
                             errno);
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
            return PerfEventFailure(sites, sites.offsets[i], error);
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
    window_events_.Close();
    perf_links_.clear();
}

void UprobeLinks::End() {
    Close();
    window_events_.End();
}

} // namespace mapscope
