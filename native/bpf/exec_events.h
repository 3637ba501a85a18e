/*
 * The kernel's word on each execve(), from bpf/exec.bpf.c.
 */
#ifndef MAPSCOPE_NATIVE_BPF_EXEC_EVENTS_H
#define MAPSCOPE_NATIVE_BPF_EXEC_EVENTS_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "native/base/failure.h"

namespace mapscope {

/** Whose ids processes are told by. */
struct PidNamespace {
    uint64_t device; /* as stat() says it */
    uint64_t inode;
    bool is_initial; /* the one in which every process has an id */
};

class ExecEvents {
  public:
    /** Loads and attaches the program at `path`; it runs until this is destroyed. */
    static Result<std::unique_ptr<ExecEvents>> Begin(const std::string &path, const PidNamespace &own);

    /** Readable when there is something to take. */
    int descriptor() const { return ring_buffer__epoll_fd(buffer_.get()); }

    /** Processes that have executed something since the last call, in that order, the same perhaps twice. */
    std::vector<uint32_t> Take();

    /** How many ids fit in the buffer: when fewer were taken, none was lost. */
    static constexpr size_t kCapacity =
        65536 / 16; /* each with the kernel's header of 8 bytes, and aligned to 8 */

  private:
    struct Close {
        void operator()(struct bpf_object *object) const { bpf_object__close(object); }
        void operator()(struct bpf_link *link) const { bpf_link__destroy(link); }
        void operator()(struct ring_buffer *buffer) const { ring_buffer__free(buffer); }
    };

    ExecEvents() = default;
    Status Configure(const std::string &path, const PidNamespace &own);
    Status Attach(const std::string &path);
    static int TakeOne(void *context, void *data, size_t size);

    std::unique_ptr<struct bpf_object, Close> object_;
    std::unique_ptr<struct bpf_link, Close> link_;
    std::unique_ptr<struct ring_buffer, Close> buffer_;
    std::vector<uint32_t> taken_;
};

} // namespace mapscope

#endif
