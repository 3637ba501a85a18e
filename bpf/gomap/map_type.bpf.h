/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of the map's type: from the table that user space made of the binary's type descriptors, or,
 * for types that reflect made at run time, from the descriptor itself (src/internal/abi/type.go, map*.go).
 */
#pragma once

#include "gomap/key.bpf.h"
#include "gomap/outcome.bpf.h"
#include "gomap/target.bpf.h"
#include "lib/address_table.bpf.h"
#include "shared/map_type.h"

/* The types that the linker wrote, by address. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct map_type_entry);
} map_types SEC(".maps");

_Static_assert(offsetof(struct map_type_entry, address) == 0, "a place of a table begins with its address");

const volatile __u32 map_type_places; /* of the table: a power of two */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, __u64);
    __type(value, struct runtime_type_info);
} runtime_types SEC(".maps");

#define RUNTIME_TYPE (1ULL << 63) /* marks an absolute address among link-time ones */

/* Offsets in the map type descriptor, see enum map_type_format. */
#define TYPE_KEY 48   /* Key, then Elem */
#define TYPE_SLOTS 80 /* what differs by format */
#define STRIDES_FLAGS 128
#define CLASSIC_INDIRECT_KEY 1
#define SWISS_INDIRECT_KEY 4

/* How keys compare: reflect.MapOf is given a key type, which mostly is one that the linker wrote. */
__noinline outcome describe_runtime_key(struct lookup *l) {
    struct runtime_type_info type;
    if (!l || read_user(&type, sizeof(type), l->type + TYPE_KEY))
        return COUNTER_UNREADABLE_TYPE;
    type.key_type -= l->bias;
    type.elem_type -= l->bias;
    __u64 address = l->type;
    if (!bpf_map_lookup_elem(&runtime_types, &address)) {
        bpf_map_update_elem(&runtime_types, &address, &type, BPF_NOEXIST);
        l->type_is_lost = !bpf_map_lookup_elem(&runtime_types, &address);
    }
    struct dynamic_type_info *info = bpf_map_lookup_elem(&dynamic_types, &type.key_type);
    if (info && info->equality_known) {
        l->info.equality_known = 1;
        l->info.equal_first = info->equal_first;
        l->info.equal_count = info->equal_count;
    } else {
        l->info.equality_known = 0;
        l->info.inexact_reason = INEXACT_RUNTIME_TYPE;
    }
    return DECODED;
}

__noinline outcome describe_runtime_type(struct lookup *l) {
    __u64 word[4];
    __u32 flags;
    if (!l)
        return COUNTER_UNREADABLE_TYPE;
    __u64 address = l->type + TYPE_SLOTS;
    if (read_user(word, layout.map_type_format == FORMAT_CLASSIC ? 8 : sizeof(word), address))
        return COUNTER_UNREADABLE_TYPE;
    l->info.keys_offset = 8;
    l->info.group_copy = sizeof(__u64);
    l->info.copied_key = 0;
    if (layout.map_type_format == FORMAT_CLASSIC) {
        l->info.key_stride = word[0] & 0xff;
        l->info.group_size = word[0] >> 16 & 0xffff;
        l->info.indirect_key = word[0] >> 32 & CLASSIC_INDIRECT_KEY;
        return describe_runtime_key(l);
    }
    l->info.group_size = word[0];
    l->info.key_stride = word[1];
    flags = word[3];
    if (layout.map_type_format == FORMAT_STRIDES) {
        l->info.keys_offset = word[1];
        l->info.key_stride = word[2];
        if (read_user(&flags, sizeof(flags), l->type + STRIDES_FLAGS))
            return COUNTER_UNREADABLE_TYPE;
    }
    l->info.indirect_key = (flags & SWISS_INDIRECT_KEY) != 0;
    return describe_runtime_key(l);
}

static __always_inline const struct map_type_info *find_linked_type(__u64 address) {
    const struct map_type_entry *entry = find_address(&map_types, map_type_places, address);
    return entry ? &entry->info : NULL;
}

/* Fills l->info, and the type's part of the aggregate's name. */
static __always_inline outcome find_map_type(struct lookup *l) {
    __u64 address = l->type - l->bias;
    const struct map_type_info *info = find_linked_type(address);
    l->name.type = address;
    if (info) {
        l->info = *info;
        return DECODED;
    }
    l->name.type = l->type | RUNTIME_TYPE;
    return describe_runtime_type(l);
}
