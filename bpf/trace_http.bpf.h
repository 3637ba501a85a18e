/*
 * Requests of net/http and golang.org/x/net/http2: `traceparent` is looked for in the request's header, a
 * map[string][]string. What its hash would be is not known here, so all of its keys are looked at, which are
 * few.
 */
#pragma once

#include "trace_request.bpf.h"

#define SLOTS_PER_GROUP 8 /* of buckets as well */
#define MAX_HEADER_GROUPS 16
#define TABLE_GROUPS 16 /* maps.table: groups.data and groups.lengthMask, see struct swiss_table */

/* The value of a slot: the first of the header's values. A header that is there twice is invalid. */
separate int take_header(struct span_ids *to, __u64 elem) {
    __u64 values[2], text[2];
    if (!to || read_user(values, sizeof(values), elem) || values[1] != 1 ||
        read_user(text, sizeof(text), values[0]))
        return 1;
    return parse_traceparent(to, text[0], text[1]);
}

/* Looks through one group or bucket whose full slots are known, a bit each; 0 if it holds the header. */
separate int search_slots(struct span_ids *to, __u64 group, __u32 full) {
    __u64 key[2];
    if (!to)
        return 1;
    for (__u32 i = 0; i < SLOTS_PER_GROUP; i++) {
        if (!(full >> i & 1) ||
            read_user(key, sizeof(key),
                      group + trace_layout.header_keys + i * trace_layout.header_key_stride) ||
            !is_traceparent_name(key[0], key[1]))
            continue;
        return take_header(to, group + trace_layout.header_elems + i * trace_layout.header_elem_stride);
    }
    return 1;
}

/* A Swiss group begins with eight control bytes, of which those of full slots are below 0x80. */
inline_always int search_group(struct span_ids *to, __u64 group) {
    __u64 control;
    __u32 full = 0;
    if (!to || read_user(&control, sizeof(control), group))
        return 1;
    for (int i = 0; i < SLOTS_PER_GROUP; i++)
        full |= (control >> (8 * i + 7) & 1 ? 0 : 1) << i;
    return search_slots(to, group, full);
}

/* A classic bucket begins with eight bytes of hashes, of which those of full slots are 5 (minTopHash) and
 * more. */
inline_always int search_bucket(struct span_ids *to, __u64 bucket) {
    __u64 tops;
    __u32 full = 0;
    if (!to || read_user(&tops, sizeof(tops), bucket))
        return 1;
    for (int i = 0; i < SLOTS_PER_GROUP; i++)
        full |= ((tops >> (8 * i) & 0xff) >= 5 ? 1 : 0) << i;
    return search_slots(to, bucket, full);
}

/* A Swiss map of up to eight keys is one group; a larger one has a directory, whose first table is all of it
 * up to some 900 keys. */
separate int search_swiss(struct span_ids *to, __u64 map) {
    __u64 directory[2], table, groups[2];
    if (!to || read_user(directory, sizeof(directory), map + offsetof(struct swiss_map, directory)))
        return 1;
    if (directory[1] == 0)
        return search_group(to, directory[0]);
    if (directory[1] > 1 || read_user(&table, sizeof(table), directory[0]) ||
        read_user(groups, sizeof(groups), table + TABLE_GROUPS))
        return 1;
    for (__u32 i = 0; i < MAX_HEADER_GROUPS && i <= groups[1]; i++)
        if (!search_group(to, groups[0] + i * trace_layout.header_group_size))
            return 0;
    return 1;
}

/* A bucket and those that overflowed from it; their chain is at the bucket's end. */
separate int search_chain(struct span_ids *to, __u64 bucket) {
    for (int i = 0; to && i < 4 && bucket; i++) {
        if (!search_bucket(to, bucket))
            return 0;
        if (read_user(&bucket, sizeof(bucket), bucket + trace_layout.header_group_size - sizeof(__u64)))
            return 1;
    }
    return 1;
}

separate int search_classic(struct span_ids *to, __u64 map) {
    __u64 buckets[2]; /* the present ones, and the old ones of a map that grows */
    __u8 log2;
    if (!to || read_user(&log2, 1, map + offsetof(struct classic_map, log2_buckets)) ||
        read_user(buckets, sizeof(buckets), map + offsetof(struct classic_map, buckets)))
        return 1;
    for (__u32 i = 0; i < MAX_HEADER_GROUPS && i < 1U << (log2 & 31); i++)
        if (!search_chain(to, buckets[0] + i * trace_layout.header_group_size))
            return 0;
    for (__u32 i = 0; buckets[1] && i < MAX_HEADER_GROUPS && i < 1U << (log2 & 31); i++)
        if (!search_chain(to, buckets[1] + i * trace_layout.header_group_size))
            return 0;
    return 1;
}

/* The server calls the handler for a request; its header is at an offset that is the site's. */
inline_always void http_request(struct trace_hit *hit, __u64 request, __u32 offset, __u64 g) {
    __u64 header;
    if (begin_handling(hit, g))
        return;
    if (read_user(&header, sizeof(header), request + offset)) {
        COUNT(unreadable);
        return;
    }
    int missing =
        trace_layout.swiss_headers ? search_swiss(&hit->ids, header) : search_classic(&hit->ids, header);
    if (missing)
        without_caller(hit->goroutine);
    else
        begin_request(hit);
}
