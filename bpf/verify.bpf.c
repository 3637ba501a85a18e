/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program behind `mapscope verify`. At a probe site it decodes a lookup, as the lookup program does, and
 * remembers what the function will return if that is right; at the function's return instructions it
 * compares. Of keys and elements only addresses are recorded.
 *
 * Built twice, see lib/memory.bpf.h.
 */
#include "gomap/decode.bpf.h"
#include "verify/prediction.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_LOOKUP_FUNCTIONS *SHOWN_DISAGREEMENTS);
    __type(key, __u32);
    __type(value, struct disagreement);
} disagreements SEC(".maps");

/* Whether what was decoded is certain to be what the function does. A comparison count need not be. */
static __always_inline int result_is_certain(const struct lookup *l) {
    return l->inexact == INEXACT_NONE || l->inexact == INEXACT_NO_HASH;
}

/* A probe site was hit: decodes the lookup and predicts its result. */
static __always_inline void predict(const struct pt_regs *regs, const volatile struct probe_site *site,
                                    struct lookup *l) {
    if (!current_generation() || enough_checked(site->lookup_function))
        return;
    outcome failure = decode(regs, site, l);
    /* The hashed site will see the lookup, or there is none. */
    if (failure == COUNTER_DEFERRED || failure == COUNTER_EMPTY)
        return;
    __u32 end = VERIFY_UNREADABLE;
    if (failure == COUNTER_DROPPED_CHAIN_TOO_LONG || failure == COUNTER_DROPPED_TOO_MUCH_WORK)
        end = VERIFY_TOO_LONG;
    else if (failure == COUNTER_DROPPED_NO_HASH)
        end = VERIFY_UNCERTAIN;
    else if (!failure)
        end = result_is_certain(l) ? remember(l, l->g, l->frame_at, l->function) : VERIFY_UNCERTAIN;
    count_outcome(l->function, end);
}

/* Records a disagreement, unless there are enough of this function already. */
__noinline int record_disagreement(__u32 function, const struct prediction *p, __u64 first, __u64 second) {
    if (!p)
        return 0;
    struct function_progress *progress = bpf_map_lookup_elem(&verify_progress, &function);
    if (!progress)
        return 0;
    __u64 number = __sync_fetch_and_add(&progress->disagreed, 1);
    if (number >= SHOWN_DISAGREEMENTS)
        return 0;
    __u32 index = function * SHOWN_DISAGREEMENTS + number;
    struct disagreement *record = bpf_map_lookup_elem(&disagreements, &index);
    if (!record)
        return 0;
    record->type = p->type;
    record->return_address = p->return_address - p->bias;
    record->elem = p->elem;
    record->key = p->key;
    record->first_result = first;
    record->second_result = second;
    record->used = 1;
    return 0;
}

/* What a miss of mapaccess1 and mapaccess2 returns in place of an element. */
static __always_inline enum verify_outcome
compare_zero_value(const volatile struct verified_function *function, const struct prediction *p,
                   __u64 result) {
    __u64 address = result - p->bias;
    if (function->gives_zero_value && verify_layout.zero_value)
        return address == verify_layout.zero_value ? VERIFY_AGREED : VERIFY_DISAGREED;
    /* Maps are on the heap or on a stack, so this is no element of one. */
    if (address >= verify_layout.data_start && address < verify_layout.data_end)
        return VERIFY_AGREED_ZERO_UNKNOWN;
    return VERIFY_DISAGREED;
}

static __always_inline enum verify_outcome compare_results(const volatile struct verified_function *function,
                                                           const struct prediction *p, __u64 first,
                                                           __u64 second) {
    if (function->result == RESULT_KEY_ELEM)
        return first == p->key && second == p->elem ? VERIFY_AGREED : VERIFY_DISAGREED;
    /* Of a bool's register only the low eight bits mean something. */
    if (function->result == RESULT_ELEM_FOUND && (__u8)second != (p->elem != 0))
        return VERIFY_DISAGREED;
    if (p->elem)
        return first == p->elem ? VERIFY_AGREED : VERIFY_DISAGREED;
    enum verify_outcome zero = compare_zero_value(function, p, first);
    /* The bool says that it is a miss. */
    if (function->result == RESULT_ELEM_FOUND && zero == VERIFY_AGREED_ZERO_UNKNOWN)
        return VERIFY_AGREED;
    return zero;
}

/* What a prediction has come to, given what the function returns. */
__noinline __u32 judge(__u32 function, const struct prediction *p, __u64 first, __u64 second) {
    if (!p)
        return VERIFY_ABANDONED;
    return compare_results(&verified_functions[function & (MAX_LOOKUP_FUNCTIONS - 1)], p, first, second);
}

/* A return instruction was hit: compares what the function returns with what was predicted, if it was. */
static __always_inline void check(const struct pt_regs *regs, __u32 function, struct lookup *l) {
    struct verify_scratch *scratch = scratch_of(l);
    count_outcome(function, VERIFY_RETURNS);
    if (!scratch || !take_prediction(l, regs->r14, regs->rsp))
        return;
    const struct prediction *p = &scratch->prediction;
    if (p->function != function || p->failed) {
        count_outcome(p->function, VERIFY_ABANDONED);
        return;
    }
    if (!claim_check(function)) {
        count_outcome(function, VERIFY_SURPLUS);
        return;
    }
    __u32 end = judge(function, p, regs->rax, regs->rbx);
    count_outcome(function, end);
    if (end == VERIFY_DISAGREED)
        record_disagreement(function, p, regs->rax, regs->rbx);
}

SEC("uprobe")
int verify(struct pt_regs *regs) {
    __u64 cookie = bpf_get_attach_cookie(regs);
    struct lookup *l = take_lookup();
    /* A hit without scratch is not predicted or not checked: as if it had been before or after the
     * verification. */
    if (!l)
        return 0;
    if (cookie & RETURN_COOKIE)
        check(regs, cookie & (MAX_LOOKUP_FUNCTIONS - 1), l);
    else
        predict(regs, &probe_sites[cookie & (MAX_PROBE_SITES - 1)], l);
    release_scratch(&l->scratch);
    return 0;
}
