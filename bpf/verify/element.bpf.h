/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the key and the element of a slot are: what a lookup that finds them returns.
 */
#pragma once

#include "gomap/map_type.bpf.h"
#include "shared/verify.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u64);
    __type(value, struct element_place);
} element_places SEC(".maps");

#define CLASSIC_INDIRECT_ELEM 2
#define SWISS_INDIRECT_ELEM 8
#define SLOTS_BEGIN 8 /* after the control word or the tophash bytes */
#define STRIDES_ELEMS 104

/* Of a map type that reflect made at run time, from its descriptor; the formats are those of enum
 * map_type_format. */
__noinline int describe_runtime_elements(const struct lookup *l, struct element_place *place) {
    __u64 word[4];
    __u32 flags;
    if (!l || !place)
        return -1;
    if (layout.map_type_format == FORMAT_STRIDES) {
        /* ElemsOff, ElemStride, ElemOff, Flags */
        if (read_user(word, sizeof(word), l->type + STRIDES_ELEMS))
            return -1;
        place->elems_offset = word[0];
        place->elem_stride = word[1];
        place->indirect_elem = (word[3] & SWISS_INDIRECT_ELEM) != 0;
        return 0;
    }
    if (layout.map_type_format == FORMAT_CLASSIC) {
        if (read_user(word, sizeof(word[0]), l->type + TYPE_SLOTS))
            return -1;
        place->elems_offset = SLOTS_BEGIN + 8 * (word[0] & 0xff);
        place->elem_stride = word[0] >> 8 & 0xff;
        place->indirect_elem = (word[0] >> 32 & CLASSIC_INDIRECT_ELEM) != 0;
        return 0;
    }
    /* GroupSize, SlotSize, ElemOff, Flags */
    if (read_user(word, sizeof(word), l->type + TYPE_SLOTS))
        return -1;
    flags = word[3];
    place->elems_offset = SLOTS_BEGIN + word[2];
    place->elem_stride = word[1];
    place->indirect_elem = (flags & SWISS_INDIRECT_ELEM) != 0;
    return 0;
}

/*
 * Addresses of the key and the element that the lookup found, both 0 upon a miss. Long ones are elsewhere,
 * and the slot holds their address. 0 on success.
 */
__noinline int find_slot(struct lookup *l, __u64 *key, __u64 *elem) {
    struct element_place place = {};
    if (!l || !key || !elem)
        return -1;
    *key = 0;
    *elem = 0;
    if (!l->hit)
        return 0;
    __u64 type = l->name.type;
    struct element_place *known = bpf_map_lookup_elem(&element_places, &type);
    if (known)
        place = *known;
    else if (describe_runtime_elements(l, &place))
        return -1;
    __u64 at = l->hit_group + l->info.keys_offset + (__u64)l->hit_slot * l->info.key_stride;
    if (l->info.indirect_key && read_user(&at, sizeof(at), at))
        return -1;
    *key = at;
    at = l->hit_group + place.elems_offset + (__u64)l->hit_slot * place.elem_stride;
    if (place.indirect_elem && read_user(&at, sizeof(at), at))
        return -1;
    *elem = at;
    return 0;
}
