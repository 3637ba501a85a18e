/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No program: the types of shared/, for user space to read from the BTF of an object that is always there.
 * The compiler describes a type only where a variable, a map or a function has it, and the enums of constants
 * are nobody's type. So they are all this variable's: what is missing here user space does not know. The
 * object is never loaded, so the kernel need not understand 64-bit enumerators in BTF, which it does from
 * Linux 6.0.
 */
#include "shared/records.h"

struct {
    /* shared/bounds.h */
    enum histogram_sizes histogram_sizes;
    /* shared/hash.h */
    enum hash_multiplier hash_multiplier;
    enum spread_multiplier spread_multiplier;
    enum address_table address_table;
    /* shared/site.h */
    enum site_limits site_limits;
    enum key_class key_class;
    enum value_home value_home;
    enum site_hash site_hash;
    struct value_location value_location;
    struct probe_site probe_site;
    struct wrapper_frame wrapper_frame;
    /* shared/map_type.h */
    enum map_implementation map_implementation;
    enum map_type_format map_type_format;
    struct target_layout target_layout;
    enum copy_sizes copy_sizes;
    struct map_type_info map_type_info;
    struct map_type_entry map_type_entry;
    struct runtime_type_info runtime_type_info;
    enum equal_kind equal_kind;
    struct equal_step equal_step;
    struct dynamic_type_info dynamic_type_info;
    /* shared/outcome.h */
    enum counter counter;
    enum inexact_reason inexact_reason;
    /* shared/stats.h */
    struct lookup_key lookup_key;
    enum lookup_key_bits lookup_key_bits;
    enum map_sketch map_sketch;
    enum ratio_unit ratio_unit;
    enum state_cycles state_cycles;
    enum other_lookups other_lookups;
    enum given_up given_up;
    enum free_ends free_ends;
    struct map_state map_state;
    struct lookup_stats lookup_stats;
    struct aggregate aggregate;
    /* shared/window.h */
    struct cpu_state cpu_state;
    enum timing timing;
    struct window_gate window_gate;
    struct window_end window_end;
    struct window_control window_control;
    struct observed_image observed_image;
    /* shared/goroutine.h */
    enum label_limits label_limits;
    enum labels_format labels_format;
    struct label_name label_name;
    struct goroutine_layout goroutine_layout;
    /* shared/trace_id.h */
    enum id_sizes id_sizes;
    enum id_form id_form;
    enum sampled sampled;
    /* shared/exemplar.h */
    struct exemplar_key exemplar_key;
    enum exemplar_limits exemplar_limits;
    struct exemplar exemplar;
    /* shared/spike.h */
    enum spike_limits spike_limits;
    struct spike_settings spike_settings;
    struct spike spike;
    struct spike_site spike_site;
    /* shared/trace.h */
    enum trace_event trace_event;
    enum trace_cookie trace_cookie;
    enum trace_block trace_block;
    struct trace_layout trace_layout;
    struct span_context span_context;
    struct goroutine_span goroutine_span;
    struct trace_control trace_control;
    struct trace_counts trace_counts;
    struct thread_context thread_context;
    /* shared/cost.h */
    struct goroutine_cost goroutine_cost;
    struct goroutine_place goroutine_place;
    struct span_cost span_cost;
    struct outside_spans outside_spans;
    enum unattributed unattributed;
    struct unattributed_cost unattributed_cost;
    /* shared/verify.h */
    enum verify_limits verify_limits;
    enum return_cookie return_cookie;
    enum lookup_result lookup_result;
    struct verified_function verified_function;
    struct verify_layout verify_layout;
    struct element_place element_place;
    struct verify_control verify_control;
    enum verify_outcome verify_outcome;
    struct verify_counts verify_counts;
    struct disagreement disagreement;
} records;
