/* Breakpoints that come and go at once, by perf events; see window_events.h. */
#include "native/probes/window_events.h"

#include <cerrno>

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native/bpf/libbpf_log.h"
#include "native/probes/tracefs.h"

namespace mapscope {

namespace {

/* A perf event of a trace event in one process. It counts nothing: that it is there is enough. */
UniqueFd OpenPerfEvent(uint64_t id, int32_t pid) {
    struct perf_event_attr attributes = {};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.config = id;
    attributes.disabled = 1;
    return UniqueFd(
        static_cast<int>(syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
}

} // namespace

Status WindowEvents::Open(const BpfObject &object, const ProbeSites &sites) {
    if (Status failure = Define(object, sites))
        return failure;
    locked_seconds_.reset();
    uint64_t after_first = 0;
    for (const uint64_t offset : sites.offsets) {
        /*
         * Any thread of the process will do: the breakpoint is in its memory, and the program runs for every
         * thread that has this memory.
         */
        UniqueFd event = OpenPerfEvent(events_.at(offset).id, sites.pid);
        if (!event) {
            const int error = errno;
            Close();
            return PerfEventFailure(sites, offset, error);
        }
        open_.push_back(std::move(event));
        if (open_.size() == 1)
            after_first = MonotonicNow();
    }
    if (open_.size() > 1)
        locked_seconds_ = LockedSeconds(after_first, open_.size() - 1, open_.size());
    return {};
}

void WindowEvents::Close() {
    while (!open_.empty())
        open_.pop_back();
}

/* Once: the sites of a program are the same in all windows, in whatever order. */
Status WindowEvents::Define(const BpfObject &object, const ProbeSites &sites) {
    if (path_ != sites.path)
        End();
    path_ = sites.path;
    if (!tracefs_) {
        Result<UniqueFd> tracefs = OpenTracefs();
        if (!tracefs)
            return Failure{tracefs.failure().sentence, "ENOTSUP"};
        tracefs_ = std::move(*tracefs);
    }
    for (size_t i = 0; i < sites.offsets.size(); i++)
        if (Status failure = DefineSite(object, sites, i))
            return failure;
    return {};
}

Status WindowEvents::DefineSite(const BpfObject &object, const ProbeSites &sites, size_t index) {
    const uint64_t offset = sites.offsets[index];
    if (events_.count(offset))
        return {};
    Event event;
    event.name = NewTraceEventName();
    Result<uint64_t> id = DefineUprobeEvent(tracefs_, event.name, sites.path, offset);
    if (!id)
        return Failure{id.failure().sentence, "ENOTSUP"};
    event.id = *id;
    LibbpfLog log; /* its warnings only repeat the errno */
    struct bpf_perf_event_opts options = {};
    options.sz = sizeof(options);
    options.bpf_cookie = sites.cookies[index];
    const int own = OpenPerfEvent(event.id, getpid()).Release();
    struct bpf_link *link =
        own < 0 ? nullptr : bpf_program__attach_perf_event_opts(object.program(), own, &options);
    if (link == nullptr) {
        const int error = errno;
        if (own >= 0)
            close(own);
        RemoveUprobeEvent(tracefs_, event.name);
        return PerfEventFailure(sites, offset, error);
    }
    event.program.reset(link);
    events_.emplace(offset, std::move(event));
    return {};
}

void WindowEvents::End() {
    Close();
    for (auto &[offset, event] : events_) {
        event.program.reset();
        RemoveUprobeEvent(tracefs_, event.name);
    }
    events_.clear();
    tracefs_.Close();
}

} // namespace mapscope
