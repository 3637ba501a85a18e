/*
 * The enumerations and #define constants of bpf/records.h.
 *
 * Only names stand here: values are the compiler's. An enumerator that is missing from its list does not
 * compile; a missing constant is found by a test that reads the header.
 */
#include "../bpf/records.h"
#include "record_tables.h"

namespace mapscope {

namespace {

#define KEY_CLASSES(X)                                                                                       \
    X(KEY_BYTES32)                                                                                           \
    X(KEY_BYTES64)                                                                                           \
    X(KEY_STRING)                                                                                            \
    X(KEY_POINTER)
ENUMERATION(key_class, KEY_CLASSES);

#define VALUE_HOMES(X)                                                                                       \
    X(HOME_NONE)                                                                                             \
    X(HOME_REGISTER)                                                                                         \
    X(HOME_STACK)
ENUMERATION(value_home, VALUE_HOMES);

#define MAP_IMPLEMENTATIONS(X)                                                                               \
    X(MAPS_CLASSIC)                                                                                          \
    X(MAPS_SWISS)
ENUMERATION(map_implementation, MAP_IMPLEMENTATIONS);

#define MAP_TYPE_FORMATS(X)                                                                                  \
    X(FORMAT_CLASSIC)                                                                                        \
    X(FORMAT_SLOTS)                                                                                          \
    X(FORMAT_STRIDES)
ENUMERATION(map_type_format, MAP_TYPE_FORMATS);

#define LABELS_FORMATS(X) X(LABELS_NONE) X(LABELS_MAP) X(LABELS_SLICE)
ENUMERATION(labels_format, LABELS_FORMATS);

#define EQUAL_KINDS(X)                                                                                       \
    X(EQUAL_MEMORY)                                                                                          \
    X(EQUAL_STRING)                                                                                          \
    X(EQUAL_FLOAT32)                                                                                         \
    X(EQUAL_FLOAT64)                                                                                         \
    X(EQUAL_EFACE)                                                                                           \
    X(EQUAL_IFACE)
ENUMERATION(equal_kind, EQUAL_KINDS);

#define COUNTERS(X)                                                                                          \
    X(COUNTER_HITS)                                                                                          \
    X(COUNTER_DEFERRED)                                                                                      \
    X(COUNTER_EMPTY)                                                                                         \
    X(COUNTER_WINDOW_CLOSED)                                                                                 \
    X(COUNTER_UNREADABLE_STACK)                                                                              \
    X(COUNTER_UNREADABLE_TYPE)                                                                               \
    X(COUNTER_UNREADABLE_MAP)                                                                                \
    X(COUNTER_UNREADABLE_TABLE)                                                                              \
    X(COUNTER_UNREADABLE_GROUP)                                                                              \
    X(COUNTER_UNREADABLE_KEY)                                                                                \
    X(COUNTER_DROPPED_TABLE_FULL)                                                                            \
    X(COUNTER_DROPPED_NO_SLOT)                                                                               \
    X(COUNTER_DROPPED_CHAIN_TOO_LONG)                                                                        \
    X(COUNTER_COUNT)
ENUMERATION(counter, COUNTERS);

#define INEXACT_REASONS(X)                                                                                   \
    X(INEXACT_NONE)                                                                                          \
    X(INEXACT_DYNAMIC_TYPE)                                                                                  \
    X(INEXACT_LONG_KEY)                                                                                      \
    X(INEXACT_RUNTIME_TYPE)                                                                                  \
    X(INEXACT_NO_HASH)                                                                                       \
    X(INEXACT_NESTED_INTERFACE)                                                                              \
    X(INEXACT_UNKNOWN_EQUALITY)                                                                              \
    X(INEXACT_COUNT)
ENUMERATION(inexact_reason, INEXACT_REASONS);

#define LOOKUP_RESULTS(X)                                                                                    \
    X(RESULT_ELEM)                                                                                           \
    X(RESULT_ELEM_FOUND)                                                                                     \
    X(RESULT_KEY_ELEM)
ENUMERATION(lookup_result, LOOKUP_RESULTS);

#define VERIFY_OUTCOME_NAMES(X)                                                                              \
    X(VERIFY_RETURNS)                                                                                        \
    X(VERIFY_UNREADABLE)                                                                                     \
    X(VERIFY_TOO_LONG)                                                                                       \
    X(VERIFY_UNCERTAIN)                                                                                      \
    X(VERIFY_NO_ROOM)                                                                                        \
    X(VERIFY_PREDICTED)                                                                                      \
    X(VERIFY_AGREED)                                                                                         \
    X(VERIFY_AGREED_ZERO_UNKNOWN)                                                                            \
    X(VERIFY_DISAGREED)                                                                                      \
    X(VERIFY_ABANDONED)                                                                                      \
    X(VERIFY_SURPLUS)                                                                                        \
    X(VERIFY_OUTCOMES)
ENUMERATION(verify_outcome, VERIFY_OUTCOME_NAMES);

#define ID_FORMS(X) X(ID_NONE) X(ID_TEXT) X(ID_BINARY)
ENUMERATION(id_form, ID_FORMS);

#define SAMPLED_NAMES(X) X(SAMPLED_UNKNOWN) X(SAMPLED_NO) X(SAMPLED_YES)
ENUMERATION(sampled, SAMPLED_NAMES);

#define TRACE_EVENT_NAMES(X)                                                                                 \
    X(TRACE_SPAN_START)                                                                                      \
    X(TRACE_SPAN_END)                                                                                        \
    X(TRACE_GOROUTINE_START)                                                                                 \
    X(TRACE_HTTP_REQUEST)                                                                                    \
    X(TRACE_HTTP_DONE)                                                                                       \
    X(TRACE_GRPC_HEADERS)                                                                                    \
    X(TRACE_GRPC_REQUEST)                                                                                    \
    X(TRACE_GRPC_DONE)                                                                                       \
    X(TRACE_EVENTS)
ENUMERATION(trace_event, TRACE_EVENT_NAMES);

#define UNATTRIBUTED_REASONS(X)                                                                              \
    X(UNATTRIBUTED_NO_ROOM)                                                                                  \
    X(UNATTRIBUTED_NO_GOROUTINE)                                                                             \
    X(UNATTRIBUTED_COUNT)
ENUMERATION(unattributed, UNATTRIBUTED_REASONS);

constexpr Enumeration kEnumerations[] = {
    id_form_enumeration,         sampled_enumeration,        trace_event_enumeration,
    key_class_enumeration,       value_home_enumeration,     map_implementation_enumeration,
    map_type_format_enumeration, labels_format_enumeration,  equal_kind_enumeration,
    counter_enumeration,         inexact_reason_enumeration, lookup_result_enumeration,
    verify_outcome_enumeration,  unattributed_enumeration,
};

constexpr Constant kConstants[] = {
    CONSTANT(PAGE_BYTES),
    CONSTANT(MAX_PROBE_SITES),
    CONSTANT(MAX_LABEL_NAMES),
    CONSTANT(LABEL_NAME_WORDS),
    CONSTANT(TRACE_ID_TEXT),
    CONSTANT(SPAN_ID_TEXT),
    CONSTANT(COUNT_BUCKETS),
    CONSTANT(DIRECT_BUCKETS),
    CONSTANT(CALLER_FUNCTION_SHIFT),
    CONSTANT(CALLER_HIT_SHIFT),
    CONSTANT(RATIO_BUCKETS),
    CONSTANT(MAP_SKETCH_WORDS),
    CONSTANT(MAX_LOOKUP_FUNCTIONS),
    CONSTANT(SHOWN_DISAGREEMENTS),
    CONSTANT(RETURN_COOKIE),
    CONSTANT(MAX_PREDICTIONS),
    CONSTANT(SPIKES_KEPT),
    CONSTANT(SPIKE_PLACES),
    CONSTANT(SPIKE_LEAST),
    CONSTANT(SPIKE_LEAST_LOOKUPS),
    CONSTANT(NO_SPIKE_LIMIT),
    CONSTANT(TRACE_COOKIE_EVENT),
    CONSTANT(TRACE_COOKIE_SUBJECT),
    CONSTANT(TRACE_COOKIE_OBJECT),
    CONSTANT(TRACE_COOKIE_OFFSET),
    CONSTANT(TRACE_BLOCK_BYTES),
    CONSTANT(TRACE_FIELDS_PER_BLOCK),
    CONSTANT(TRACE_ID_BYTES),
    CONSTANT(SPAN_ID_BYTES),
    CONSTANT(TIMED_HITS_LOG2),
    CONSTANT(LONGEST_TIMED_NS),
    CONSTANT(ADDRESS_TRIES),
    CONSTANT(GROUP_COPY),
    CONSTANT(KEY_COPY),
    CONSTANT(COPIED_KEY_STEPS),
};

static_assert(FitNumbers(kConstants), "a constant of this size belongs to the wide ones");

constexpr WideConstant kWideConstants[] = {
    WIDE_CONSTANT(HASH_MULTIPLIER),
};

} // namespace

std::span<const Enumeration> Enumerations() { return kEnumerations; }

std::span<const Constant> Constants() { return kConstants; }

std::span<const WideConstant> WideConstants() { return kWideConstants; }

} // namespace mapscope
