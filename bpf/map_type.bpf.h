/*
 * What is known of the map's type: from the table that user space made of the binary's type descriptors, or,
 * for types that reflect made at run time, from the descriptor itself (src/internal/abi/type.go, map*.go).
 */
#pragma once

#include "key.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct map_type_info);
} map_types SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __uint(max_entries, 1024);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct runtime_type_info);
} runtime_types SEC(".maps");

#define RUNTIME_TYPE (1ULL << 63) /* marks an absolute address among link-time ones */

/* The words of a map type descriptor from offset 48: Key, Elem, Group or Bucket, Hasher, and what differs by
 * format. */
struct map_descriptor {
    __u64 key;
    __u64 elem;
    __u64 group;
    __u64 hasher;
    __u64 rest[7]; /* from offset 80 */
};
#define DESCRIPTOR_OFFSET 48
#define CLASSIC_INDIRECT_KEY 1
#define SWISS_INDIRECT_KEY 4

/* How keys compare: reflect.MapOf is given a key type, which mostly is one that the linker wrote. */
inline_always void describe_runtime_key(struct lookup *l, const struct map_descriptor *d) {
    __u64 key = d->key - l->bias;
    struct runtime_type_info type = {.key_type = key, .elem_type = d->elem - l->bias};
    bpf_map_update_elem(&runtime_types, &l->type, &type, BPF_NOEXIST);
    struct dynamic_type_info *info = bpf_map_lookup_elem(&dynamic_types, &key);
    if (info && info->equality_known) {
        l->info.equality_known = 1;
        l->info.equal_first = info->equal_first;
        l->info.equal_count = info->equal_count;
    } else {
        l->info.equality_known = 0;
        l->info.inexact_reason = INEXACT_RUNTIME_TYPE;
    }
}

separate outcome describe_runtime_type(struct lookup *l) {
    if (!l)
        return COUNTER_UNREADABLE_TYPE;
    struct map_descriptor d = {};
    __u32 known = layout.map_type_format == FORMAT_STRIDES ? sizeof(d) : sizeof(d) - 3 * 8;
    if (layout.map_type_format == FORMAT_CLASSIC)
        known = 5 * 8;
    if (read_user(&d, known, l->type + DESCRIPTOR_OFFSET))
        return COUNTER_UNREADABLE_TYPE;
    l->info.keys_offset = 8;
    if (layout.map_type_format == FORMAT_CLASSIC) {
        l->info.key_stride = d.rest[0] & 0xff;
        l->info.group_size = d.rest[0] >> 16 & 0xffff;
        l->info.indirect_key = d.rest[0] >> 32 & CLASSIC_INDIRECT_KEY;
    } else if (layout.map_type_format == FORMAT_SLOTS) {
        l->info.group_size = d.rest[0];
        l->info.key_stride = d.rest[1];
        l->info.indirect_key = (d.rest[3] & SWISS_INDIRECT_KEY) != 0;
    } else {
        l->info.group_size = d.rest[0];
        l->info.keys_offset = d.rest[1];
        l->info.key_stride = d.rest[2];
        l->info.indirect_key = (d.rest[6] & SWISS_INDIRECT_KEY) != 0;
    }
    describe_runtime_key(l, &d);
    return DECODED;
}

/* Fills l->info; `name` becomes the type's key in the aggregates. */
inline_always outcome find_map_type(struct lookup *l, __u64 *name) {
    *name = l->type - l->bias;
    struct map_type_info *info = bpf_map_lookup_elem(&map_types, name);
    if (info) {
        l->info = *info;
        return DECODED;
    }
    *name = l->type | RUNTIME_TYPE;
    return describe_runtime_type(l);
}
