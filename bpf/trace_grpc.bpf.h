/*
 * Calls that a google.golang.org/grpc server handles. One goroutine reads the headers of all streams of a
 * connection; another one handles the stream later. The stream's id leads from one to the other.
 */
#pragma once

#include "trace_request.bpf.h"

#define MAX_FIELDS 64

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct grpc_stream);
    __type(value, struct span_ids);
} grpc_streams SEC(".maps");

/* The field's value, if its name is the header's; 0 then. */
separate int take_field(struct span_ids *to, __u64 field) {
    __u64 name[2], value[2];
    if (!to || read_user(name, sizeof(name), field + trace_layout.field_name) ||
        !is_traceparent_name(name[0], name[1]) ||
        read_user(value, sizeof(value), field + trace_layout.field_value))
        return 1;
    return parse_traceparent(to, value[0], value[1]);
}

separate int search_fields(struct span_ids *to, __u64 frame) {
    __u64 fields[2];
    if (!to || read_user(fields, sizeof(fields), frame + trace_layout.frame_fields))
        return 1;
    for (__u32 i = 0; i < MAX_FIELDS && i < fields[1]; i++)
        if (!take_field(to, fields[0] + i * trace_layout.field_size))
            return 0;
    return 1;
}

/* Ids of streams are 32 bits wide, in frames and in streams; 0 on success. */
inline_always int read_stream(struct trace_hit *hit, __u64 transport, __u64 id_address) {
    __u32 id;
    if (read_user(&id, sizeof(id), id_address))
        return 1;
    hit->stream.transport = transport;
    hit->stream.id = id;
    return 0;
}

/* The transport has read the headers that begin a stream. */
separate int grpc_headers(struct trace_hit *hit, __u64 transport, __u64 frame) {
    __u64 headers;
    if (!hit || search_fields(&hit->ids, frame))
        return 0;
    if (read_user(&headers, sizeof(headers), frame + trace_layout.frame_headers) ||
        read_stream(hit, transport, headers + trace_layout.frame_stream_id))
        return COUNT(unreadable);
    if (bpf_map_update_elem(&grpc_streams, &hit->stream, &hit->ids, BPF_ANY))
        COUNT(dropped);
    return 0;
}

/* The server handles a stream. */
separate int grpc_request(struct trace_hit *hit, __u64 transport, __u64 stream, __u64 g) {
    if (!hit || begin_handling(hit, g))
        return 0;
    if (trace_layout.stream_is_inner &&
        read_user(&stream, sizeof(stream), stream + trace_layout.stream_inner))
        return COUNT(unreadable);
    if (read_stream(hit, transport, stream + trace_layout.stream_id))
        return COUNT(unreadable);
    struct span_ids *ids = bpf_map_lookup_elem(&grpc_streams, &hit->stream);
    if (!ids)
        return without_caller(hit->goroutine);
    hit->ids = *ids;
    bpf_map_delete_elem(&grpc_streams, &hit->stream);
    return begin_request(hit);
}
