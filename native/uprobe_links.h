/*
 * The probes of one window: attaches a BPF program to a set of instructions of one process, and takes it off
 * again.
 */
#ifndef MAPSCOPE_NATIVE_UPROBE_LINKS_H
#define MAPSCOPE_NATIVE_UPROBE_LINKS_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "bpf_object.h"
#include "failure.h"
#include "unique_fd.h"

namespace mapscope {

struct ProbeSites {
    std::string path; /* of the executable, as this process can open it */
    int32_t pid;
    std::vector<uint64_t> offsets; /* into the file */
    std::vector<uint64_t> cookies; /* one per offset */
    uint32_t busy = 0;             /* the last so many of them are hit far more often than the others */
};

class UprobeLinks {
  public:
    /** All of the sites, or none. */
    Status Attach(const BpfObject &object, AttachMethod method, const ProbeSites &sites);

    /**
     * When it returns, the program runs no more. The kernel waits for RCU meanwhile: once for a multi link,
     * but for perf events one after the other, under a global lock.
     *
     * Busy sites, which were attached last, come out first.
     */
    void Close();

    bool attached() const { return static_cast<bool>(multi_link_) || !perf_links_.empty(); }

  private:
    struct DestroyLink {
        void operator()(struct bpf_link *link) const { bpf_link__destroy(link); }
    };

    Status AttachMulti(const BpfObject &object, const ProbeSites &sites);
    Result<UniqueFd> LinkMulti(const BpfObject &object, const ProbeSites &sites, size_t from, size_t to);
    Status AttachPerfEvents(const BpfObject &object, const ProbeSites &sites);

    UniqueFd multi_link_;
    UniqueFd busy_link_; /* of the busy sites, when there are others too */
    std::vector<std::unique_ptr<struct bpf_link, DestroyLink>> perf_links_;
};

} // namespace mapscope

#endif
