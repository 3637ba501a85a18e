/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that a google.golang.org/grpc server handles. One goroutine reads the headers of all streams of a
 * connection; another one handles the stream later. The stream's id leads from one to the other.
 */
#pragma once

#include "trace/request.bpf.h"

#define MAX_FIELDS 64

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct grpc_stream);
    __type(value, struct span_ids);
} grpc_streams SEC(".maps");

/* Takes the value of a field in the hit's block, if its name is the header's; 0 then. */
__noinline int take_field(struct trace_hit *hit, __u32 field) {
    if (!hit)
        return 1;
    __u32 start = field * trace_layout.field_size;
    __u32 name = within(start + trace_layout.field_name, TRACE_BLOCK_BYTES - 2 * sizeof(__u64)) & ~7U;
    __u32 value = within(start + trace_layout.field_value, TRACE_BLOCK_BYTES - 2 * sizeof(__u64)) & ~7U;
    const __u64 *text = (const __u64 *)&hit->block[name];
    if (!is_traceparent_name(text[0], text[1]))
        return 1;
    text = (const __u64 *)&hit->block[value];
    return parse_traceparent(hit, text[0], text[1]);
}

/* Looks through some fields; 0 if one is the header. */
__noinline int search_block_of_fields(struct trace_hit *hit, __u64 address, __u64 count) {
    if (count > TRACE_FIELDS_PER_BLOCK)
        count = TRACE_FIELDS_PER_BLOCK;
    if (!hit ||
        read_user(hit->block, within(count * trace_layout.field_size, TRACE_BLOCK_BYTES + 1), address))
        return 1;
    for (__u32 i = 0; i < TRACE_FIELDS_PER_BLOCK && i < count; i++)
        if (!take_field(hit, i))
            return 0;
    return 1;
}

__noinline int search_fields(struct trace_hit *hit, __u64 frame) {
    __u64 fields[2];
    if (!hit || read_user(fields, sizeof(fields), frame + trace_layout.frame_fields))
        return 1;
    for (__u32 i = 0; i < MAX_FIELDS && i < fields[1]; i += TRACE_FIELDS_PER_BLOCK)
        if (!search_block_of_fields(hit, fields[0] + i * trace_layout.field_size, fields[1] - i))
            return 0;
    return 1;
}

/* Ids of streams are 32 bits wide, in frames and in streams; 0 on success. */
static __always_inline int read_stream(struct trace_hit *hit, __u64 transport, __u64 id_address) {
    __u32 id;
    if (read_user(&id, sizeof(id), id_address))
        return 1;
    hit->stream.transport = transport;
    hit->stream.id = id;
    hit->stream.generation = trace_generation();
    return 0;
}

/*
 * The transport has read the headers that begin a stream. One that names no trace may have the numbers of one
 * that did and was refused before it was handled.
 */
__noinline int grpc_headers(struct trace_hit *hit, __u64 transport, __u64 frame) {
    __u64 headers;
    if (!hit || !(hit = hit_from_map(hit)))
        return 0;
    if (read_user(&headers, sizeof(headers), frame + trace_layout.frame_headers) ||
        read_stream(hit, transport, headers + trace_layout.frame_stream_id)) {
        COUNT(unreadable);
        return 0;
    }
    int without = search_fields(hit, frame);
    if (!without && bpf_map_update_elem(&grpc_streams, &hit->stream, &hit->ids, BPF_ANY)) {
        COUNT(dropped);
        without = 1;
    }
    if (without)
        bpf_map_delete_elem(&grpc_streams, &hit->stream);
    return 0;
}

/* The server handles a stream. */
__noinline int grpc_request(struct trace_hit *hit, __u64 transport, __u64 stream, __u64 g) {
    if (!hit || begin_handling(hit, g) || !(hit = hit_from_map(hit)))
        return 0;
    if (trace_layout.stream_is_inner &&
        read_user(&stream, sizeof(stream), stream + trace_layout.stream_inner)) {
        COUNT(unreadable);
        return 0;
    }
    if (read_stream(hit, transport, stream + trace_layout.stream_id)) {
        COUNT(unreadable);
        return 0;
    }
    struct span_ids *ids = bpf_map_lookup_elem(&grpc_streams, &hit->stream);
    if (!ids)
        return without_caller(hit->goroutine);
    hit->ids = *ids;
    bpf_map_delete_elem(&grpc_streams, &hit->stream);
    return begin_request(hit);
}
