/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of net/http and golang.org/x/net/http2: `traceparent` is looked for in the request's header, a
 * map[string][]string. What its hash would be is not known here, so all of its keys are looked at, which are
 * few.
 */
#pragma once

#include "gomap/go_layout.bpf.h"
#include "trace/request.bpf.h"

#define SLOTS_PER_GROUP 8 /* of buckets as well */
#define MAX_HEADER_GROUPS 16
#define MAX_HEADER_OVERFLOW 4
#define TABLE_GROUPS 16 /* maps.table: groups.data and groups.lengthMask, see struct swiss_table */

/* Takes the value of a slot of the hit's block: a slice of strings. A header that is there twice is invalid.
 */
__noinline int take_header(struct trace_hit *hit, __u32 slot) {
    __u64 text[2];
    if (!hit)
        return 1;
    __u32 at = trace_layout.header_elems + slot * trace_layout.header_elem_stride;
    const __u64 *values = (const __u64 *)&hit->block[within(at, TRACE_BLOCK_BYTES - 2 * sizeof(__u64)) & ~7U];
    if (values[1] != 1 || read_user(text, sizeof(text), values[0]))
        return 1;
    return parse_traceparent(hit, text[0], text[1]);
}

/*
 * Looks through the group or bucket in the hit's block; 0 if it holds the header. The first eight bytes tell
 * which slots are full: control bytes below 0x80, or hashes of at least minTopHash.
 */
__noinline int search_block(struct trace_hit *hit) {
    if (!hit)
        return 1;
    for (__u32 i = 0; i < SLOTS_PER_GROUP; i++) {
        __u8 mark = hit->block[i];
        __u32 at = trace_layout.header_keys + i * trace_layout.header_key_stride;
        const __u64 *key =
            (const __u64 *)&hit->block[within(at, TRACE_BLOCK_BYTES - 2 * sizeof(__u64)) & ~7U];
        if ((trace_layout.swiss_headers ? mark < 0x80 : mark >= MIN_TOP_HASH) &&
            is_traceparent_name(key[0], key[1]))
            return take_header(hit, i);
    }
    return 1;
}

/* Reads a group or bucket into the hit's block; 0 on success. */
static __always_inline int read_block(struct trace_hit *hit, __u64 address) {
    return read_user(hit->block, within(trace_layout.header_group_size, TRACE_BLOCK_BYTES + 1), address) != 0;
}

/* A Swiss map of up to eight keys is one group; a larger one has a directory, whose first table is all of it
 * up to some 900 keys. */
__noinline int search_swiss(struct trace_hit *hit, __u64 map) {
    __u64 directory[2], table, groups[2];
    if (!hit || read_user(directory, sizeof(directory), map + offsetof(struct swiss_map, directory)))
        return 1;
    if (directory[1] == 0)
        return read_block(hit, directory[0]) || search_block(hit);
    if (directory[1] > 1 || read_user(&table, sizeof(table), directory[0]) ||
        read_user(groups, sizeof(groups), table + TABLE_GROUPS))
        return 1;
    for (__u32 i = 0; i < MAX_HEADER_GROUPS && i <= groups[1]; i++)
        if (!read_block(hit, groups[0] + i * trace_layout.header_group_size) && !search_block(hit))
            return 0;
    return 1;
}

/* A bucket and those that overflowed from it; the address of the next one is at a bucket's end. */
__noinline int search_chain(struct trace_hit *hit, __u64 bucket) {
    for (int i = 0; hit && i < MAX_HEADER_OVERFLOW && bucket; i++) {
        if (read_block(hit, bucket))
            return 1;
        if (!search_block(hit))
            return 0;
        __u32 at = trace_layout.header_group_size - sizeof(__u64);
        bucket = *(const __u64 *)&hit->block[within(at, TRACE_BLOCK_BYTES - sizeof(__u64)) & ~7U];
    }
    return 1;
}

__noinline int search_classic(struct trace_hit *hit, __u64 map) {
    __u64 buckets[2]; /* the present ones, and the old ones of a map that grows */
    __u8 log2;
    if (!hit || read_user(&log2, 1, map + offsetof(struct classic_map, log2_buckets)) ||
        read_user(buckets, sizeof(buckets), map + offsetof(struct classic_map, buckets)))
        return 1;
    for (__u32 i = 0; i < MAX_HEADER_GROUPS && i < 1U << (log2 & 31); i++)
        if (!search_chain(hit, buckets[0] + i * trace_layout.header_group_size))
            return 0;
    for (__u32 i = 0; buckets[1] && i < MAX_HEADER_GROUPS && i < 1U << (log2 & 31); i++)
        if (!search_chain(hit, buckets[1] + i * trace_layout.header_group_size))
            return 0;
    return 1;
}

/* The server calls the handler for a request; its header is at an offset that is the site's. */
static __always_inline void http_request(struct trace_hit *hit, __u64 request, __u32 offset, __u64 g) {
    __u64 header;
    if (begin_handling(hit, g))
        return;
    if (read_user(&header, sizeof(header), request + offset)) {
        COUNT(unreadable);
        return;
    }
    int missing = trace_layout.swiss_headers ? search_swiss(hit, header) : search_classic(hit, header);
    if (missing)
        without_caller(hit->goroutine);
    else
        begin_request(hit);
}
