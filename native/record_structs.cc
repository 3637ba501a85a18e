/*
 * The structs of bpf/records.h, field by field.
 *
 * Only names stand here: offsets and sizes are the compiler's. A new field is one more line; without it this
 * file does not compile.
 */
#include "../bpf/records.h"
#include "record_tables.h"

namespace mapscope {

namespace {

#define VALUE_LOCATION_FIELDS(X)                                                                             \
    X(home)                                                                                                  \
    X(register_number)                                                                                       \
    X(pad)                                                                                                   \
    X(stack_offset)                                                                                          \
    X(addend)
RECORD(value_location, VALUE_LOCATION_FIELDS);

/* A value_location inside another struct: its fields under their path, "type.home". */
#define LOCATION(X, member)                                                                                  \
    X(member.home)                                                                                           \
    X(member.register_number)                                                                                \
    X(member.pad)                                                                                            \
    X(member.stack_offset)                                                                                   \
    X(member.addend)

#define PROBE_SITE_FIELDS(X)                                                                                 \
    X(address)                                                                                               \
    X(return_offset)                                                                                         \
    X(key_class)                                                                                             \
    X(has_hash)                                                                                              \
    X(map_is_storage)                                                                                        \
    X(lookup_function)                                                                                       \
    LOCATION(X, type)                                                                                        \
    LOCATION(X, map)                                                                                         \
    LOCATION(X, key)                                                                                         \
    LOCATION(X, key_length)                                                                                  \
    LOCATION(X, hash)
RECORD(probe_site, PROBE_SITE_FIELDS);

#define TARGET_LAYOUT_FIELDS(X)                                                                              \
    X(implementation)                                                                                        \
    X(map_type_format)                                                                                       \
    X(hash_known)                                                                                            \
    X(gated)                                                                                                 \
    X(aes_schedule)                                                                                          \
    X(aes_flag)
RECORD(target_layout, TARGET_LAYOUT_FIELDS);

#define MAP_TYPE_INFO_FIELDS(X)                                                                              \
    X(keys_offset)                                                                                           \
    X(key_stride)                                                                                            \
    X(group_size)                                                                                            \
    X(equal_first)                                                                                           \
    X(equal_count)                                                                                           \
    X(indirect_key)                                                                                          \
    X(equality_known)                                                                                        \
    X(inexact_reason)                                                                                        \
    X(copied_key)                                                                                            \
    X(group_copy)                                                                                            \
    X(pad)
RECORD(map_type_info, MAP_TYPE_INFO_FIELDS);

#define WRAPPER_FRAME_FIELDS(X) X(address) X(size) X(pad)
RECORD(wrapper_frame, WRAPPER_FRAME_FIELDS);

#define MAP_TYPE_ENTRY_FIELDS(X)                                                                             \
    X(address)                                                                                               \
    X(info.keys_offset)                                                                                      \
    X(info.key_stride)                                                                                       \
    X(info.group_size)                                                                                       \
    X(info.equal_first)                                                                                      \
    X(info.equal_count)                                                                                      \
    X(info.indirect_key)                                                                                     \
    X(info.equality_known)                                                                                   \
    X(info.inexact_reason)                                                                                   \
    X(info.copied_key)                                                                                       \
    X(info.group_copy)                                                                                       \
    X(info.pad)
RECORD(map_type_entry, MAP_TYPE_ENTRY_FIELDS);

#define EQUAL_STEP_FIELDS(X)                                                                                 \
    X(kind)                                                                                                  \
    X(offset)                                                                                                \
    X(size)                                                                                                  \
    X(pad)
RECORD(equal_step, EQUAL_STEP_FIELDS);

#define DYNAMIC_TYPE_INFO_FIELDS(X)                                                                          \
    X(direct)                                                                                                \
    X(equality_known)                                                                                        \
    X(pad)                                                                                                   \
    X(equal_first)                                                                                           \
    X(equal_count)
RECORD(dynamic_type_info, DYNAMIC_TYPE_INFO_FIELDS);

#define RUNTIME_TYPE_INFO_FIELDS(X)                                                                          \
    X(key_type)                                                                                              \
    X(elem_type)
RECORD(runtime_type_info, RUNTIME_TYPE_INFO_FIELDS);

#define LOOKUP_KEY_FIELDS(X)                                                                                 \
    X(caller)                                                                                                \
    X(type)
RECORD(lookup_key, LOOKUP_KEY_FIELDS);

#define CPU_STATE_FIELDS(X)                                                                                  \
    X(counters)                                                                                              \
    X(own_hits) X(aggregates) X(window) X(window_hits) X(lost_spikes) X(timed_hits) X(timed_ns) X(site_hits)
RECORD(cpu_state, CPU_STATE_FIELDS);

#define LOOKUP_STATS_FIELDS(X)                                                                               \
    X(probe_length)                                                                                          \
    X(probe_length_sum)                                                                                      \
    X(probe_length_max)                                                                                      \
    X(key_comparisons)                                                                                       \
    X(key_comparisons_sum)                                                                                   \
    X(key_comparisons_max)                                                                                   \
    X(home_position)                                                                                         \
    X(home_position_sum)                                                                                     \
    X(load_factor)                                                                                           \
    X(load_factor_sum)                                                                                       \
    X(growing)                                                                                               \
    X(inexact)                                                                                               \
    X(entries_max)                                                                                           \
    X(buckets_at_max)                                                                                        \
    X(overflow_at_max)                                                                                       \
    X(tombstones_at_max)                                                                                     \
    X(maps_seen)                                                                                             \
    X(exemplar_cycle)                                                                                        \
    X(exemplars_taken)
RECORD(lookup_stats, LOOKUP_STATS_FIELDS);

/* The counts inside an aggregate: its fields under their path, "stats.growing". */
#define FIELD_OF_STATS(member) FIELD(stats.member)

#define AGGREGATE_FIELDS(X)                                                                                  \
    X(name.caller)                                                                                           \
    X(name.type)                                                                                             \
    LOOKUP_STATS_FIELDS(FIELD_OF_STATS)
RECORD(aggregate, AGGREGATE_FIELDS);

#define WINDOW_CONTROL_FIELDS(X) X(exemplar_cycle) X(spike_cycle) X(cost_cycle)
RECORD(window_control, WINDOW_CONTROL_FIELDS);

#define WINDOW_GATE_FIELDS(X) X(open) X(hit_limit)
RECORD(window_gate, WINDOW_GATE_FIELDS);

#define WINDOW_END_FIELDS(X) X(window) X(time)
RECORD(window_end, WINDOW_END_FIELDS);

#define VERIFIED_FUNCTION_FIELDS(X)                                                                          \
    X(result)                                                                                                \
    X(gives_zero_value)                                                                                      \
    X(pad)
RECORD(verified_function, VERIFIED_FUNCTION_FIELDS);

#define VERIFY_LAYOUT_FIELDS(X)                                                                              \
    X(lookups)                                                                                               \
    X(zero_value)                                                                                            \
    X(data_start)                                                                                            \
    X(data_end)
RECORD(verify_layout, VERIFY_LAYOUT_FIELDS);

#define ELEMENT_PLACE_FIELDS(X)                                                                              \
    X(elems_offset)                                                                                          \
    X(elem_stride)                                                                                           \
    X(indirect_elem)                                                                                         \
    X(pad)
RECORD(element_place, ELEMENT_PLACE_FIELDS);

#define VERIFY_CONTROL_FIELDS(X) X(generation)
RECORD(verify_control, VERIFY_CONTROL_FIELDS);

#define VERIFY_COUNTS_FIELDS(X) X(count)
RECORD(verify_counts, VERIFY_COUNTS_FIELDS);

#define DISAGREEMENT_FIELDS(X)                                                                               \
    X(type)                                                                                                  \
    X(return_address)                                                                                        \
    X(elem)                                                                                                  \
    X(key)                                                                                                   \
    X(first_result)                                                                                          \
    X(second_result)                                                                                         \
    X(used)                                                                                                  \
    X(pad)
RECORD(disagreement, DISAGREEMENT_FIELDS);

#define LABEL_NAME_FIELDS(X) X(text) X(length) X(is_span)
RECORD(label_name, LABEL_NAME_FIELDS);

#define GOROUTINE_LAYOUT_FIELDS(X)                                                                           \
    X(goid)                                                                                                  \
    X(parent_goid)                                                                                           \
    X(labels)                                                                                                \
    X(machine)                                                                                               \
    X(current)                                                                                               \
    X(labels_format)                                                                                         \
    X(with_exemplars)                                                                                        \
    X(without_trace)                                                                                         \
    X(label_names) X(with_spans) X(with_thread_context) X(with_costs) X(with_span_costs) X(pad) X(names)
RECORD(goroutine_layout, GOROUTINE_LAYOUT_FIELDS);

#define EXEMPLAR_KEY_FIELDS(X) X(name.caller) X(name.type) X(bucket) X(pad)
RECORD(exemplar_key, EXEMPLAR_KEY_FIELDS);

#define EXEMPLAR_FIELDS(X)                                                                                   \
    X(cycle)                                                                                                 \
    X(time)                                                                                                  \
    X(goroutine)                                                                                             \
    X(parent_goroutine)                                                                                      \
    X(probe_length) X(key_comparisons) X(trace_form) X(span_form) X(sampled) X(pad) X(trace_id) X(span_id)
RECORD(exemplar, EXEMPLAR_FIELDS);

#define SPIKE_SETTINGS_FIELDS(X) X(enabled) X(fixed) X(factor) X(pad)
RECORD(spike_settings, SPIKE_SETTINGS_FIELDS);

/* The exemplar inside a spike: its fields under their path, "lookup.time". */
#define FIELD_OF_LOOKUP(member) FIELD(lookup.member)

#define SPIKE_FIELDS(X)                                                                                      \
    EXEMPLAR_FIELDS(FIELD_OF_LOOKUP)                                                                         \
    X(entries)                                                                                               \
    X(used)                                                                                                  \
    X(home)                                                                                                  \
    X(log2_buckets)                                                                                          \
    X(log2_slots)                                                                                            \
    X(overflow)                                                                                              \
    X(tombstones)                                                                                            \
    X(growing)                                                                                               \
    X(probe_length_limit)                                                                                    \
    X(key_comparisons_limit)                                                                                 \
    X(pad)
RECORD(spike, SPIKE_FIELDS);

#define SPIKE_SITE_FIELDS(X) X(seen) X(places) X(kept)
RECORD(spike_site, SPIKE_SITE_FIELDS);

#define TRACE_LAYOUT_FIELDS(X)                                                                               \
    X(trace_id)                                                                                              \
    X(span_id)                                                                                               \
    X(trace_flags)                                                                                           \
    X(header_keys)                                                                                           \
    X(header_key_stride)                                                                                     \
    X(header_elems)                                                                                          \
    X(header_elem_stride)                                                                                    \
    X(header_group_size)                                                                                     \
    X(swiss_headers)                                                                                         \
    X(frame_fields)                                                                                          \
    X(field_size)                                                                                            \
    X(field_name)                                                                                            \
    X(field_value)                                                                                           \
    X(frame_headers)                                                                                         \
    X(frame_stream_id)                                                                                       \
    X(stream_is_inner)                                                                                       \
    X(stream_inner)                                                                                          \
    X(stream_id)
RECORD(trace_layout, TRACE_LAYOUT_FIELDS);

#define SPAN_COST_FIELDS(X)                                                                                  \
    X(trace_id)                                                                                              \
    X(span_id)                                                                                               \
    X(goroutine) X(lookups) X(hits) X(probes) X(key_comparisons) X(parts_compared) X(sampled) X(pad)
RECORD(span_cost, SPAN_COST_FIELDS);

#define OUTSIDE_SPANS_FIELDS(X) X(no_span) X(no_room)
RECORD(outside_spans, OUTSIDE_SPANS_FIELDS);

#define SPAN_CONTEXT_FIELDS(X)                                                                               \
    X(handle)                                                                                                \
    X(outer)                                                                                                 \
    X(goroutine) X(generation) X(ended) X(sampled) X(is_request) X(pad) X(trace_id) X(span_id)
RECORD(span_context, SPAN_CONTEXT_FIELDS);

#define GOROUTINE_SPAN_FIELDS(X) X(goroutine) X(current) X(request) X(inherited) X(pad)
RECORD(goroutine_span, GOROUTINE_SPAN_FIELDS);

#define TRACE_CONTROL_FIELDS(X) X(generation) X(pad)
RECORD(trace_control, TRACE_CONTROL_FIELDS);

#define TRACE_COUNTS_FIELDS(X)                                                                               \
    X(events) X(unreadable) X(unknown_spans) X(dropped) X(spanned) X(timed_hits) X(timed_ns)
RECORD(trace_counts, TRACE_COUNTS_FIELDS);

#define THREAD_CONTEXT_FIELDS(X) X(trace_id) X(span_id)
RECORD(thread_context, THREAD_CONTEXT_FIELDS);

#define GOROUTINE_COST_FIELDS(X)                                                                             \
    X(goroutine)                                                                                             \
    X(parent)                                                                                                \
    X(hits)                                                                                                  \
    X(probe_length_sum)                                                                                      \
    X(key_comparisons_sum)                                                                                   \
    X(probe_length_max)                                                                                      \
    X(key_comparisons_max)                                                                                   \
    X(probe_length)                                                                                          \
    X(key_comparisons)
RECORD(goroutine_cost, GOROUTINE_COST_FIELDS);

#define GOROUTINE_PLACE_FIELDS(X) X(goroutine) X(cycle) X(entry)
RECORD(goroutine_place, GOROUTINE_PLACE_FIELDS);

#define UNATTRIBUTED_COST_FIELDS(X)                                                                          \
    X(hits)                                                                                                  \
    X(probe_length)                                                                                          \
    X(probe_length_sum)                                                                                      \
    X(probe_length_max)                                                                                      \
    X(key_comparisons)                                                                                       \
    X(key_comparisons_sum)                                                                                   \
    X(key_comparisons_max)
RECORD(unattributed_cost, UNATTRIBUTED_COST_FIELDS);

constexpr Record kRecords[] = {
    label_name_record,
    goroutine_layout_record,
    exemplar_key_record,
    exemplar_record,
    value_location_record,
    probe_site_record,
    target_layout_record,
    map_type_info_record,
    equal_step_record,
    dynamic_type_info_record,
    runtime_type_info_record,
    lookup_key_record,
    lookup_stats_record,
    window_control_record,
    cpu_state_record,
    verified_function_record,
    verify_layout_record,
    element_place_record,
    verify_control_record,
    verify_counts_record,
    disagreement_record,
    spike_settings_record,
    spike_record,
    spike_site_record,
    span_cost_record,
    outside_spans_record,
    trace_layout_record,
    span_context_record,
    goroutine_span_record,
    trace_control_record,
    trace_counts_record,
    thread_context_record,
    goroutine_cost_record,
    goroutine_place_record,
    unattributed_cost_record,
    window_gate_record,
    window_end_record,
    map_type_entry_record,
    wrapper_frame_record,
    aggregate_record,
};

} // namespace

std::span<const Record> Records() { return kRecords; }

} // namespace mapscope
