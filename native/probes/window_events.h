/*
 * Breakpoints for a short time on kernels without a usable uprobe_multi, by perf events.
 *
 * To end a perf event that has a program the kernel waits for RCU, some 0.1 s for each site, under a lock
 * that all share, and the breakpoint stays in the target until then. But a program belongs to the trace event
 * that a perf event is opened for, not to the perf event itself. So each site is defined as a trace event of
 * tracefs. One perf event of it, which is of this very process and puts no breakpoint anywhere, holds the
 * program for as long as this lives. For each window there is another perf event of the target without a
 * program: its breakpoint comes and goes with it, at once.
 */
#ifndef MAPSCOPE_NATIVE_PROBES_WINDOW_EVENTS_H
#define MAPSCOPE_NATIVE_PROBES_WINDOW_EVENTS_H

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "native/base/failure.h"
#include "native/base/unique_fd.h"
#include "native/bpf/bpf_object.h"
#include "native/probes/probe_sites.h"

namespace mapscope {

class WindowEvents {
  public:
    WindowEvents() = default;
    ~WindowEvents() { End(); }
    WindowEvents(const WindowEvents &) = delete;
    WindowEvents &operator=(const WindowEvents &) = delete;

    /** Puts all breakpoints in, or none. ENOTSUP when this kernel or its rules give no trace events. */
    Status Open(const BpfObject &object, const ProbeSites &sites);

    /** Takes them out again, the last first. A hit that has begun by then may still run. */
    void Close();

    /** Nothing is left in the kernel when this returns, and it waits for that. */
    void End();

    bool is_open() const { return !open_.empty(); }

    /** For how long, in seconds, the sites after the first keep locks of others, in and out; see UprobeLinks.
     */
    std::optional<double> locked_seconds() const { return locked_seconds_; }

  private:
    struct DestroyLink {
        void operator()(struct bpf_link *link) const { bpf_link__destroy(link); }
    };

    /* A site, as a trace event that has the program. */
    struct Event {
        std::string name;
        uint64_t id = 0;
        std::unique_ptr<struct bpf_link, DestroyLink> program;
    };

    Status Define(const BpfObject &object, const ProbeSites &sites);
    Status DefineSite(const BpfObject &object, const ProbeSites &sites, size_t index);

    UniqueFd tracefs_; /* mounted nowhere: not every container has it, and nobody need see this one */
    std::string path_; /* of the file that events_ are in */
    std::map<uint64_t, Event> events_; /* by offset */
    std::vector<UniqueFd> open_;
    std::optional<double> locked_seconds_;
};

} // namespace mapscope

#endif
