/*
 * The uprobe_multi link of the bpf() system call (Linux 6.6): it is younger than the headers and the libbpf
 * that distributions ship (Debian 12: Linux 6.1 headers, libbpf 1.1).
 */
#ifndef MAPSCOPE_NATIVE_BPF_UPROBE_MULTI_H
#define MAPSCOPE_NATIVE_BPF_UPROBE_MULTI_H

#include <cstddef>
#include <cstdint>

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mapscope {

/* BPF_TRACE_UPROBE_MULTI. Not under its own name, which newer headers declare as an enumerator. */
constexpr auto kTraceUprobeMulti = static_cast<enum bpf_attach_type>(48);

/* The BPF_LINK_CREATE member of union bpf_attr, with its uprobe_multi variant. */
struct UprobeMultiLinkAttributes {
    uint32_t program_fd;
    uint32_t target_fd; /* unused; must be 0 */
    uint32_t attach_type;
    uint32_t flags;
    uint64_t path;
    uint64_t offsets;
    uint64_t reference_counter_offsets;
    uint64_t cookies;
    uint32_t count;
    uint32_t uprobe_flags;
    int32_t pid; /* 0: every process */
    /*
     * The kernel compares the size passed in with its own idea of the structure and wants whatever lies
     * beyond to be zero, so the tail that alignment adds is spelled out: an initializer then clears it.
     */
    uint32_t tail;
};
static_assert(offsetof(UprobeMultiLinkAttributes, path) == 16);
static_assert(offsetof(UprobeMultiLinkAttributes, count) == 48);
static_assert(sizeof(UprobeMultiLinkAttributes) == 64);

/** Returns the link's descriptor (close-on-exec, as all that bpf() makes), or -1 and errno. */
inline int CreateUprobeMultiLink(UprobeMultiLinkAttributes &attributes) {
    return static_cast<int>(syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes)));
}

} // namespace mapscope

#endif
