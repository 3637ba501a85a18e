/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells user space which processes execute a program, so that those to observe are found at once. One program
 * for the whole machine, however many targets there are.
 */
#include "lib/common.bpf.h"

/* The pid namespace of who listens: its device as the kernel keeps it, and its inode. */
const volatile __u64 namespace_device;
const volatile __u64 namespace_inode;
/* It is the initial one, in which every process has an id. */
const volatile __u32 is_initial;

/* Ids of processes, __u32 each. What does not fit is lost: user space sees that it reads a full one. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 65536);
} executed SEC(".maps");

/* A process has executed a program, and has not run an instruction of it yet. */
SEC("raw_tp/sched_process_exec")
int tell_exec(void *context) {
    (void)context;
    __u32 process = bpf_get_current_pid_tgid() >> 32;
    if (!is_initial) {
        /* Fails for processes of other namespaces: those that are not below ours must not wake us. */
        struct bpf_pidns_info own = {};
        if (bpf_get_ns_current_pid_tgid(namespace_device, namespace_inode, &own, sizeof(own)))
            return 0;
        process = own.tgid;
    }
    bpf_ringbuf_output(&executed, &process, sizeof(process), 0);
    return 0;
}
