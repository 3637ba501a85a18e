/*
 * The probes of one window: attaches a BPF program to a set of instructions of one process, and takes it off
 * again.
 */
#ifndef MAPSCOPE_NATIVE_PROBES_UPROBE_LINKS_H
#define MAPSCOPE_NATIVE_PROBES_UPROBE_LINKS_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "native/base/failure.h"
#include "native/base/unique_fd.h"
#include "native/bpf/bpf_object.h"
#include "native/probes/probe_sites.h"
#include "native/probes/window_events.h"

namespace mapscope {

class UprobeLinks {
  public:
    /**
     * All of the sites, or none. ESTALE when the kernel has taken them, but the process does not run the
     * file's code: overlayfs copied the file up after the process had mapped it, or the process executes
     * another.
     */
    Status Attach(const BpfObject &object, AttachMethod method, const ProbeSites &sites);

    /** The same for a short time: by perf events so that detaching does not take longer than that. */
    Status AttachBriefly(const BpfObject &object, AttachMethod method, const ProbeSites &sites);

    /**
     * When it returns, the program runs no more; after a brief attach by perf events, only for hits that had
     * begun. The kernel waits for RCU meanwhile: once for a multi link,
     * but for perf events one after the other, under a global lock.
     *
     * Busy sites, which were attached last, come out first.
     */
    void Close();

    /** The same, and nothing is kept for further windows. */
    void End();

    /**
     * For how long, in seconds, the last attach and its end keep locks that others need: the kernel's, which
     * every fork of the machine waits for, and the memory locks of all processes that map the file. An
     * estimate, from what the latter sites took: at the first the kernel waits for RCU before it takes them.
     * Nothing for a single link.
     */
    std::optional<double> locked_seconds() const { return locked_seconds_; }

    bool attached() const {
        return static_cast<bool>(multi_link_) || !perf_links_.empty() || window_events_.is_open();
    }

  private:
    struct DestroyLink {
        void operator()(struct bpf_link *link) const { bpf_link__destroy(link); }
    };

    Status CheckArrival(Status failure, const ProbeSites &sites);
    Status AttachMulti(const BpfObject &object, const ProbeSites &sites);
    Result<UniqueFd> LinkMulti(const BpfObject &object, const ProbeSites &sites, size_t from, size_t to);
    Status AttachPerfEvents(const BpfObject &object, const ProbeSites &sites);

    UniqueFd multi_link_;
    UniqueFd busy_link_; /* of the busy sites, when there are others too */
    std::vector<std::unique_ptr<struct bpf_link, DestroyLink>> perf_links_;
    WindowEvents window_events_;
    std::optional<double> locked_seconds_;
};

} // namespace mapscope

#endif
