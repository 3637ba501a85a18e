/*
 * The records that the BPF programs and the native addon share: plain C, fixed-width types, no pointers.
 *
 * The addon publishes the offset of every field named in native/record_layout.cc to JavaScript, so this
 * header is the only place where a layout is written down.
 *
 * Addresses are link-time virtual addresses (what the ELF file says), also for position-independent targets:
 * the BPF program learns the load bias of a hit from the instruction pointer and the address of the probe
 * site.
 */
#ifndef MAPSCOPE_RECORDS_H
#define MAPSCOPE_RECORDS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Spreads addresses over a table: 2^64 divided by the golden ratio (Knuth, The Art of Computer
 * Programming, 6.4). */
#define HASH_MULTIPLIER 0x9e3779b97f4a7c15ULL

/* The number of probe sites one target may have. Go 1.27 needs 9, a classic binary with every variant 21. */
#define MAX_PROBE_SITES 64

/* Bytes of a page of code: load biases are multiples of it. */
#define PAGE_BYTES 4096

/* What kind of key a lookup function takes. */
enum key_class {
    KEY_BYTES32 = 0, /* mapaccess*_fast32: the key by value, 4 bytes */
    KEY_BYTES64 = 1, /* mapaccess*_fast64: the key by value, 8 bytes */
    KEY_STRING = 2,  /* mapaccess*_faststr: pointer and length */
    KEY_POINTER = 3, /* mapaccess1, mapaccess2, mapaccessK: a pointer to a key of the type's own equality */
};

/* Where a value is found when a probe site is hit. */
enum value_home {
    HOME_NONE = 0,
    HOME_REGISTER = 1, /* register + addend */
    HOME_STACK = 2,    /* the word at SP + stack_offset, + addend */
};

/* Registers by their x86-64 hardware number (rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5, rsi 6, rdi 7,
 * r8..r15). */
struct value_location {
    __u8 home;
    __u8 register_number;
    __u8 pad[2];
    __s32 stack_offset;
    __s64 addend;
};

/* One breakpoint, and how to read a lookup from the state of the thread that hit it. */
struct probe_site {
    __u64 address;        /* of the probed instruction */
    __u32 return_offset;  /* SP + this is the return address of the lookup function */
    __u8 key_class;       /* enum key_class */
    __u8 has_hash;        /* the function has computed the key's hash here */
    __u8 map_is_storage;  /* `map` holds the map's first group or bucket, not its header */
    __u8 lookup_function; /* index into the session's list of lookup functions */
    struct value_location type;
    struct value_location map;
    struct value_location key;
    struct value_location key_length;
    struct value_location hash;
};

enum map_implementation { MAPS_CLASSIC = 0, MAPS_SWISS = 1 };

/* How a map type descriptor says where keys are (src/internal/abi/map*.go). */
enum map_type_format {
    FORMAT_CLASSIC =
        0, /* up to 1.23, and GOEXPERIMENT=noswissmap: KeySize u8 at 80, BucketSize u16 at 82, Flags at 84 */
    FORMAT_SLOTS = 1, /* 1.24-1.26: GroupSize at 80, SlotSize at 88, ElemOff at 96, Flags at 104 */
    FORMAT_STRIDES =
        2, /* 1.27: GroupSize at 80, KeysOff 88, KeyStride 96, ElemsOff 104, ElemStride 112, Flags 128 */
};

/* Facts of the Go version that the decoder needs and that are not per type. */
struct target_layout {
    __u32 implementation;  /* enum map_implementation */
    __u32 map_type_format; /* enum map_type_format */
    __u32 hash_known;      /* aes_schedule and aes_flag are set, and aes_table is filled */
    __u32 gated;           /* lookups are decoded only while window_gate says so */
    __u64 aes_schedule;    /* address of aeskeysched, the key schedule of Go's string hash */
    __u64 aes_flag; /* address of the byte that says whether the process hashes with AES instructions */
};

/* Bytes of a group or bucket, and of a key, that a hit copies at most: eight slots of four words each, a key
 * of eight. */
#define GROUP_COPY 264
#define KEY_COPY 64
#define COPIED_KEY_STEPS 8 /* of a key that is compared by copies */

/* What the decoder must know of one map type. */
struct map_type_info {
    __u32 keys_offset; /* of key 0 within a group or bucket */
    __u32 key_stride;
    __u32 group_size;  /* bytes of a group or bucket */
    __u16 equal_first; /* index into the array `equal_steps` */
    __u16 equal_count;
    __u8 indirect_key;
    __u8 equality_known; /* 0: the key's equality cannot be decided, for the reason given */
    __u8 inexact_reason; /* enum inexact_reason */
    __u8 copied_key;     /* bytes of a key that its few steps look at; 0: they are compared in place */
    __u16 group_copy;    /* bytes of a group or bucket to read at once: at least the first word */
    __u16 pad;
};

/*
 * Hash tables that user space lays out in arrays, by address. An address is in one of ADDRESS_TRIES places
 * from that of its hash on, and nothing but addresses is before it; the hash are the bits from 32 on of the
 * address times HASH_MULTIPLIER. A place is empty when its address is 0.
 */
#define ADDRESS_TRIES 8

/* A place of the table `wrappers`. */
struct wrapper_frame {
    __u64 address; /* return address within the wrapper */
    __u32 size;    /* bytes from SP after that return to the wrapper's own return address (pcsp) */
    __u32 pad;
};

/* A place of the table `map_types`. */
struct map_type_entry {
    __u64 address; /* of the type's descriptor */
    struct map_type_info info;
};

/* A map type made at run time by reflect; key of the map `runtime_types` is its run-time address. */
struct runtime_type_info {
    __u64 key_type; /* link-time addresses, of types that the linker wrote */
    __u64 elem_type;
};

/* One step of a key comparison: two keys are equal when every step says so. */
enum equal_kind {
    EQUAL_MEMORY = 0, /* size bytes */
    EQUAL_STRING = 1, /* a Go string header */
    EQUAL_FLOAT32 = 2,
    EQUAL_FLOAT64 = 3,
    EQUAL_EFACE = 4, /* interface{}: type word, data word */
    EQUAL_IFACE = 5, /* interface with methods: itab, data word */
};

struct equal_step {
    __u32 kind; /* enum equal_kind */
    __u32 offset;
    __u32 size;
    __u32 pad;
};

/* How two interface values of one dynamic type compare; key of the map `dynamic_types` is the type's address.
 */
struct dynamic_type_info {
    __u8 direct; /* the data word is the value itself, not a pointer to it */
    __u8 equality_known;
    __u8 pad[2];
    __u16 equal_first;
    __u16 equal_count;
};

/* Why a lookup's result or comparison count is not certain. The lookup is counted, and counted as inexact
 * too. */
enum inexact_reason {
    INEXACT_NONE = 0,
    INEXACT_DYNAMIC_TYPE,     /* an interface key of a type that was not known when the lookup was made */
    INEXACT_LONG_KEY,         /* keys equal as far as they were compared */
    INEXACT_RUNTIME_TYPE,     /* a map type made at run time by reflect */
    INEXACT_NO_HASH,          /* comparisons of a missed lookup in a small string map, hash not computable */
    INEXACT_NESTED_INTERFACE, /* an interface inside an interface's value */
    INEXACT_UNKNOWN_EQUALITY, /* the key's type has more parts than are compared */
    INEXACT_COUNT,
};

#define COUNT_BUCKETS 24 /* of probe length and key comparisons; bounds in bounds.h */
#define RATIO_BUCKETS 11 /* tenths: 0.1, 0.2, ... 1.0, above */
#define MAP_SKETCH_WORDS 8

/*
 * What one aggregate is of. Two words, because the key is hashed and compared at every lookup: addresses in
 * user space have 47 bits, so that the upper bits of the caller's word hold the index of the lookup function
 * (from bit 56) and whether the key was found (bit 55).
 */
struct lookup_key {
    __u64 caller; /* return address of the first frame that is not a wrapper */
    __u64 type;   /* address of the map type; absolute, with bit 63 set, when it was made at run time */
};
#define CALLER_FUNCTION_SHIFT 56
#define CALLER_HIT_SHIFT 55

/*
 * Counts and distributions; everything counts up from attach and is never reset. The number of lookups is the
 * sum of any distribution's buckets. Sums of counts hold only values above DIRECT_BUCKETS: a bucket up to
 * that holds one value.
 */
#define DIRECT_BUCKETS 8
struct lookup_stats {
    __u64 probe_length[COUNT_BUCKETS];
    __u64 probe_length_sum;
    __u64 probe_length_max;
    __u64 key_comparisons[COUNT_BUCKETS];
    __u64 key_comparisons_sum;
    __u64 key_comparisons_max;
    __u64 home_position[RATIO_BUCKETS];
    __u64 home_position_sum; /* in units of 2^-32 */
    __u64 load_factor[RATIO_BUCKETS];
    __u64 load_factor_sum; /* in units of 2^-32 */
    __u64 growing;
    __u64 inexact[INEXACT_COUNT];      /* by reason */
    __u64 entries_max;                 /* the largest map seen, and its state at that moment: */
    __u64 buckets_at_max;              /* buckets, or groups of the table visited */
    __u64 overflow_at_max;             /* classic */
    __u64 tombstones_at_max;           /* Swiss, of the table visited */
    __u64 maps_seen[MAP_SKETCH_WORDS]; /* linear-counting sketch over map addresses, 512 cells */
    /* Buckets that have a candidate in this cycle: a bit each, from bit 32 on those of comparisons. */
    __u64 exemplar_cycle;
    __u64 exemplars_taken;
};

/* Value of `aggregates`. */
struct aggregate {
    struct lookup_key name;
    struct lookup_stats stats;
};

/*
 * What becomes of hits. Every hit ends either in an aggregate or in exactly one of the counters other than
 * HITS.
 */
enum counter {
    COUNTER_HITS = 0,
    COUNTER_DEFERRED,      /* the same lookup goes on to a hashed site, which records it */
    COUNTER_EMPTY,         /* the map was emptied between the function's check and the site */
    COUNTER_WINDOW_CLOSED, /* while the window's gate is closed */
    COUNTER_UNREADABLE_STACK,
    COUNTER_UNREADABLE_TYPE,
    COUNTER_UNREADABLE_MAP,
    COUNTER_UNREADABLE_TABLE,
    COUNTER_UNREADABLE_GROUP,
    COUNTER_UNREADABLE_KEY,
    COUNTER_DROPPED_TABLE_FULL,     /* the aggregate map has no room for another call site */
    COUNTER_DROPPED_NO_SLOT,        /* more hits at once on one CPU than there are slots for them */
    COUNTER_DROPPED_CHAIN_TOO_LONG, /* the probe sequence did not end within the bound */
    COUNTER_COUNT,
};

/* Where the runtime keeps what is read of goroutines (src/runtime/runtime2.go), and which labels name the
 * trace. */
#define MAX_LABEL_NAMES 8
#define LABEL_NAME_WORDS 2
#define TRACE_ID_TEXT 32 /* hexadecimal digits */
#define SPAN_ID_TEXT 16

enum labels_format {
    LABELS_NONE = 0,
    LABELS_MAP = 1,   /* up to 1.23: a map[string]string */
    LABELS_SLICE = 2, /* from 1.24: a slice of pairs of strings, sorted by name */
};

struct label_name {
    __u64 text[LABEL_NAME_WORDS]; /* zero-padded */
    __u32 length;
    __u32 is_span; /* of the span's id, else of the trace's */
};

struct goroutine_layout {
    __u32 goid;
    __u32 parent_goid; /* 0: before 1.21 there is none */
    __u32 labels;
    __u32 machine; /* g.m */
    __u32 current; /* m.curg */
    __u32 labels_format;
    __u32 with_exemplars; /* candidates for exemplars are wanted */
    __u32 without_trace;  /* also of goroutines that have no trace id */
    __u32 label_names;
    __u32 with_spans;          /* spans are followed (trace.bpf.c), the map span_contexts is filled */
    __u32 with_thread_context; /* another tool's map traces_ctx_v1 is there */
    __u32 with_costs;          /* what each goroutine's lookups cost is wanted */
    __u32 with_span_costs;     /* what each span's lookups cost is wanted; spans are followed */
    __u32 pad;
    struct label_name names[MAX_LABEL_NAMES];
};

/* Which bucket of which aggregate a candidate for an exemplar is of. */
struct exemplar_key {
    struct lookup_key name;
    __u32 bucket; /* of the probe length; from COUNT_BUCKETS on, of the key comparisons */
    __u32 pad;
};

/* How an id is kept in a record. */
enum id_form {
    ID_NONE = 0,
    ID_TEXT = 1, /* hexadecimal digits, as in labels */
    ID_BINARY = 2,
};

/* What is known of whether a span is recorded. */
enum sampled {
    SAMPLED_UNKNOWN = 0,
    SAMPLED_NO = 1,
    SAMPLED_YES = 2,
};

#define TRACE_ID_BYTES 16
#define SPAN_ID_BYTES 8

/* One lookup that may become an exemplar. Binary ids stand in the first bytes of their fields. */
struct exemplar {
    __u64 cycle;
    __u64 time; /* CLOCK_MONOTONIC, ns */
    __u64 goroutine;
    __u64 parent_goroutine;
    __u32 probe_length;
    __u32 key_comparisons;
    __u32 trace_form; /* enum id_form */
    __u32 span_form;
    __u32 sampled; /* enum sampled */
    __u32 pad;
    __u8 trace_id[TRACE_ID_TEXT];
    __u8 span_id[SPAN_ID_TEXT];
};

/*
 * Following spans (trace.bpf.c): which span is current on which goroutine, from probes where spans begin and
 * end.
 */

/* What a probe site of the trace program sees, and what the subject's register holds there. */
enum trace_event {
    TRACE_SPAN_START = 0,      /* OpenTelemetry SDK: a recording span has been made; the span */
    TRACE_SPAN_END = 1,        /* OpenTelemetry SDK: a recording span ends; the span */
    TRACE_GOROUTINE_START = 2, /* a go statement has made a goroutine; its g */
    TRACE_HTTP_REQUEST = 3,    /* net/http or x/net/http2 calls the handler; the *http.Request */
    TRACE_HTTP_DONE = 4,       /* the handler has returned; none */
    TRACE_GRPC_HEADERS = 5,    /* grpc has read a stream's headers; the transport, and the frame as object */
    TRACE_GRPC_REQUEST = 6,    /* grpc handles a stream; the transport, and the stream as object */
    TRACE_GRPC_DONE = 7,       /* the handler has returned, its status is sent; none */
    TRACE_EVENTS,
};

/* The cookie of a site of the trace program: its event and, from the bits given, numbers of registers. */
#define TRACE_COOKIE_EVENT 0xff
#define TRACE_COOKIE_SUBJECT 8
#define TRACE_COOKIE_OBJECT 12
#define TRACE_COOKIE_OFFSET 32 /* of an http request's header, in what the subject's register points to */

/* What is read at once of a request's header: one bucket or group of a map, or some fields of a frame. */
#define TRACE_BLOCK_BYTES 512
#define TRACE_FIELDS_PER_BLOCK 8

/* Where structures hold what the trace program reads; offsets in bytes. */
struct trace_layout {
    __u32 trace_id; /* in the SDK's recordingSpan */
    __u32 span_id;
    __u32 trace_flags;
    __u32 header_keys; /* in a group or bucket of an http header, a map[string][]string: the first key ... */
    __u32 header_key_stride;
    __u32 header_elems; /* ... and the first element */
    __u32 header_elem_stride;
    __u32 header_group_size;
    __u32 swiss_headers; /* it is a Swiss map */
    __u32 frame_fields;  /* in http2.MetaHeadersFrame: a slice of hpack.HeaderField */
    __u32 field_size;    /* of an hpack.HeaderField, in which are two strings: */
    __u32 field_name;
    __u32 field_value;
    __u32 frame_headers;   /* in MetaHeadersFrame: pointer to the HeadersFrame, ... */
    __u32 frame_stream_id; /* ... and in that, the stream's id */
    __u32 stream_is_inner; /* grpc's ServerStream points to the Stream with the id, at stream_inner */
    __u32 stream_inner;
    __u32 stream_id;
};

/*
 * A span that has begun. The key in the map span_contexts is its handle, a number no other span has; the
 * handle in the value tells an entry that was taken for another span while it was read.
 */
struct span_context {
    __u64 handle; /* 0 while the entry is being written */
    __u64 outer;  /* handle of the span that was current before, to which its end returns */
    __u64 goroutine;
    __u32 generation;
    __u8 ended;
    __u8 sampled;    /* enum sampled */
    __u8 is_request; /* the caller's span that a request came with */
    __u8 pad;
    __u8 trace_id[TRACE_ID_BYTES];
    __u8 span_id[SPAN_ID_BYTES];
};

/* What is current on a goroutine; the key in the map goroutine_spans is its id. */
struct goroutine_span {
    __u64 goroutine;
    __u64 current;   /* handle of the innermost span, which may have ended */
    __u64 request;   /* handle of the span that the request came with that is handled; 0: none */
    __u32 inherited; /* the span is that of the goroutine's creator */
    __u32 pad;
};

/* Set by user space while the trace program runs. */
struct trace_control {
    __u32 generation; /* number of the attach; 0 while not all probes are in: ends of spans may be missed */
    __u32 pad;
};

/* Each CPU's counters of what the trace program met. */
struct trace_counts {
    __u64 events[TRACE_EVENTS];
    __u64 unreadable;    /* memory of the target could not be read */
    __u64 unknown_spans; /* ends of spans whose start was not seen, or that were forgotten */
    __u64 dropped;       /* the kernel had no room for a span */
    __u64 spanned;       /* requests that got a span of the SDK on their goroutine */
    __u64 timed_hits;    /* some of the events, and how long they took, in ns */
    __u64 timed_ns;
};

/* What another tool (OBI) says of a thread; value of its pinned map traces_ctx_v1, key the kernel's pid_tgid.
 */
struct thread_context {
    __u8 trace_id[TRACE_ID_BYTES];
    __u8 span_id[SPAN_ID_BYTES];
};

/* What the lookups of one goroutine cost, since its table was last emptied. Sums as in struct lookup_stats.
 */
struct goroutine_cost {
    __u64 goroutine;
    __u64 parent; /* the goroutine that started it; 0: not known */
    __u64 hits;
    __u64 probe_length_sum;
    __u64 key_comparisons_sum;
    __u32 probe_length_max;
    __u32 key_comparisons_max;
    __u32 probe_length[COUNT_BUCKETS];
    __u32 key_comparisons[COUNT_BUCKETS];
};

/* Where a goroutine's entry is: a place of the hash table `goroutine_places_*` (goroutine_cost.bpf.h). */
struct goroutine_place {
    __u64 goroutine;
    __u32 cycle; /* window_control.cost_cycle when it was taken */
    __u32 entry; /* number in `goroutine_costs_*` plus one; 0: there was no room for one */
};

/*
 * What the lookups made in one span cost, since its table was last emptied; key of the maps `span_costs_*` is
 * the span's handle. Sums are complete here.
 */
struct span_cost {
    __u8 trace_id[TRACE_ID_BYTES];
    __u8 span_id[SPAN_ID_BYTES];
    __u64 goroutine; /* on which the span began */
    __u64 lookups;
    __u64 hits;
    __u64 probes;
    __u64 key_comparisons;
    __u64 parts_compared; /* a key comparison goes part by part: 1 for a number or string, 8 for eight of them
                           */
    __u32 sampled;        /* enum sampled */
    __u32 pad;
};

/* Lookups that are counted for no span; never reset; value of the per-CPU array `lookups_outside_spans`. */
struct outside_spans {
    __u64 no_span; /* of goroutines that are in no span that is known */
    __u64 no_room; /* the table was full */
};

/* Why a lookup is not counted for a goroutine; index of the per-CPU array `unattributed_costs`. */
enum unattributed {
    UNATTRIBUTED_NO_ROOM = 0,      /* more goroutines since the table was last emptied than it has entries */
    UNATTRIBUTED_NO_GOROUTINE = 1, /* the runtime's own, on a thread that has no goroutine */
    UNATTRIBUTED_COUNT,
};

/* What such lookups cost; never reset. */
struct unattributed_cost {
    __u64 hits;
    __u64 probe_length[COUNT_BUCKETS];
    __u64 probe_length_sum;
    __u64 probe_length_max;
    __u64 key_comparisons[COUNT_BUCKETS];
    __u64 key_comparisons_sum;
    __u64 key_comparisons_max;
};

/* What each CPU keeps for itself, beside the aggregates. */
struct cpu_state {
    __u64 counters[COUNTER_COUNT];
    __u64 own_hits;   /* of the first slot's owners, who add to it in turns; all others are in counters */
    __u64 aggregates; /* number of those that are in use */
    __u64 window;     /* number of the window that window_hits belong to */
    __u64 window_hits;
    __u64 lost_spikes; /* the kernel had no memory for the spikes of another site */
    __u64 timed_hits;  /* some of those decoded, and how long that took them, in ns */
    __u64 timed_ns;
    __u32 site_hits[MAX_PROBE_SITES]; /* the same ones, by probe site */
};

/* Of each 16 hits, on average one is timed; one that took longer than this was interrupted, and counts as
 * this. */
#define TIMED_HITS_LOG2 4
#define LONGEST_TIMED_NS 32768

/*
 * Which hits of a window are decoded. Breakpoints are put in and taken out one by one, while the kernel takes
 * its time: so user space opens the gate when all are in, and closes it before the first is taken out. A CPU
 * that reaches the hit limit closes it too, and says when.
 */
struct window_gate {
    __u64 open;      /* the window's number; 0: closed */
    __u64 hit_limit; /* per CPU */
};

/* What a CPU that has closed the gate sends to user space. */
struct window_end {
    __u64 window;
    __u64 time; /* CLOCK_MONOTONIC, ns */
};

/* Set by user space while the program runs. */
struct window_control {
    __u64 exemplar_cycle; /* raised at each export: one candidate per bucket, CPU and cycle is kept */
    __u64 spike_cycle;    /* raised at each read of the spikes, from 1 */
    __u64 cost_cycle;     /* from 1; odd ones count in the second of two tables (goroutine_cost.bpf.h) */
};

/*
 * Spikes (spike.bpf.h): lookups whose probe length or key comparisons are above a limit.
 */
#define SPIKES_KEPT 4           /* of each site on each CPU in each cycle */
#define SPIKE_PLACES 8          /* for two cycles: one is read while the other is written */
#define SPIKE_LEAST 8           /* under a relative limit nothing up to this is a spike, */
#define SPIKE_LEAST_LOOKUPS 100 /* nor anything before this many lookups have been counted */

struct spike_settings {
    __u32 enabled;
    __u32 fixed;  /* the limit; if 0, it is the mean of the lookups before of the same aggregate and CPU, */
    __u32 factor; /* times this */
    __u32 pad;
};

/* One spike: the lookup, the map's state at that moment, and the limits. It is complete once its cycle is
 * set. */
struct spike {
    struct exemplar lookup;
    __u64 entries; /* as in struct lookup (target.bpf.h) */
    __u64 used;
    __u64 home;
    __u32 log2_buckets;
    __u32 log2_slots;
    __u32 overflow;
    __u32 tombstones;
    __u32 growing;
    __u32 probe_length_limit; /* NO_SPIKE_LIMIT: there was none */
    __u32 key_comparisons_limit;
    __u32 pad;
};
#define NO_SPIKE_LIMIT 0xffffffffU

/* Value of the map spike_sites; the key is the aggregate's. */
struct spike_site {
    __u64 seen;                      /* since attach, never reset */
    __u64 places;                    /* a cycle and, in the lowest byte, how many places were taken in it */
    struct spike kept[SPIKE_PLACES]; /* of even cycles, then of odd ones */
};

/*
 * Verification (verify.bpf.h): what a lookup was decoded to is compared with what the function then returned.
 */
#define MAX_LOOKUP_FUNCTIONS 32 /* whose returns are watched */
#define SHOWN_DISAGREEMENTS 4   /* kept in detail, of each lookup function */
#define RETURN_COOKIE 0x10000   /* set in the cookie of a return; the rest is the lookup function */
#define MAX_PREDICTIONS 8192    /* lookups that have been decoded and have not returned */

/* What a lookup function returns. */
enum lookup_result {
    RESULT_ELEM = 0,       /* mapaccess1*: the element's address, or that of a zero value */
    RESULT_ELEM_FOUND = 1, /* mapaccess2*: the same, and whether it was found */
    RESULT_KEY_ELEM = 2,   /* mapaccessK: the addresses of key and element, or nil twice */
};

struct verified_function {
    __u8 result;           /* enum lookup_result */
    __u8 gives_zero_value; /* a miss returns the address of runtime.zeroVal, not one that the caller passed */
    __u8 pad[6];
};

/* Facts that only verification needs. Addresses are link-time ones. */
struct verify_layout {
    __u64 lookups;    /* to be checked of each function */
    __u64 zero_value; /* address of runtime.zeroVal; 0: not known */
    __u64 data_start; /* the program's variables: where a zero value must be, and no map ever is */
    __u64 data_end;
};

/* Where elements are; key of the map `element_places` is the map type descriptor's address. */
struct element_place {
    __u32 elems_offset; /* of element 0 within a group or bucket */
    __u32 elem_stride;
    __u8 indirect_elem; /* the slot holds a pointer to the element */
    __u8 pad[3];
};

/*
 * Set by user space: raised before each attach, for what was predicted before is no longer true; 0 before
 * each detach, for the kernel takes breakpoints out one by one, and a lookup whose return is missed must not
 * be taken for the next one.
 */
struct verify_control {
    __u64 generation;
};

/* What becomes of the lookups of a function. Every prediction ends in at most one of those after PREDICTED.
 */
enum verify_outcome {
    VERIFY_RETURNS = 0, /* hits of the function's return instructions, whatever was looked up */
    VERIFY_UNREADABLE,  /* memory of the target could not be read, so nothing was predicted */
    VERIFY_TOO_LONG,    /* the probe sequence did not end within the bound */
    VERIFY_UNCERTAIN,   /* the key's equality is not known, and so neither is the result */
    VERIFY_NO_ROOM,     /* too many lookups under way */
    VERIFY_PREDICTED,
    VERIFY_AGREED,
    VERIFY_AGREED_ZERO_UNKNOWN, /* a miss that returned a static address, whether runtime.zeroVal is not known
                                 */
    VERIFY_DISAGREED,
    VERIFY_ABANDONED, /* the lookup never returned, and another one was found in its place */
    VERIFY_SURPLUS,   /* after as many as wanted */
    VERIFY_OUTCOMES,
};

/* Value of the per-CPU array `verify_results`; its index is the lookup function's. */
struct verify_counts {
    __u64 count[VERIFY_OUTCOMES];
};

/* A lookup whose function returned something else than was decoded. Addresses only, never what is there. */
struct disagreement {
    __u64 type;           /* as in struct lookup_key */
    __u64 return_address; /* in the caller, link-time */
    __u64 elem;           /* where the element was expected; 0: a miss was expected */
    __u64 key;            /* where the key was expected, for RESULT_KEY_ELEM */
    __u64 first_result;   /* what the function returned */
    __u64 second_result;
    __u32 used; /* not 0 */
    __u32 pad;
};

#endif
