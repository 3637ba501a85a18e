/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Go's string hash with AES instructions, in software: runtime.aeshashbody, src/runtime/asm_amd64.s up
 * to 1.26 and src/internal/runtime/maps/memhash_amd64.s in 1.27; the algorithm has not changed since 1.17.
 *
 * It is needed in one place only. A string lookup in a small Swiss map hashes inside a helper that no longer
 * knows the type and the map, so its probe site lies before the hash, and which slots were compared follows
 * from the hash.
 */
#pragma once

#include "gomap/memory_compare.bpf.h"
#include "gomap/target.bpf.h"

/* AES round table (SubBytes, ShiftRows and MixColumns of one byte); set by user space. */
const volatile __u32 aes_table[256];

/*
 * The parts of a process's hash state that do not change once the runtime has started: until the process
 * executes another image.
 */
struct hash_state {
    __u32 ready;
    __u32 uses_aes;
    __u32 schedule[32];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct hash_state);
} hash_states SEC(".maps");

static __always_inline __u32 rotate(__u32 x, __u32 bits) { return x << bits | x >> (32 - bits); }

/* Stops the compiler from computing the addresses of later look-ups before it needs them: there are few
 * registers.
 */
#define ONE_BY_ONE(a, b, c, d) asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d)::"memory")

static __always_inline __u32 mix_column(__u32 a, __u32 b, __u32 c, __u32 d) {
    __u32 sum = aes_table[a & 255];
    ONE_BY_ONE(sum, b, c, d);
    sum ^= rotate(aes_table[b >> 8 & 255], 8);
    ONE_BY_ONE(sum, b, c, d);
    sum ^= rotate(aes_table[c >> 16 & 255], 16);
    ONE_BY_ONE(sum, b, c, d);
    return sum ^ rotate(aes_table[d >> 24 & 255], 24);
}

/* AESENC with the block as its own round key, as Go's hash mostly uses it. */
static __always_inline void aes_round(struct aes_block *block) {
    __u32 a = block->column[0], b = block->column[1], c = block->column[2], d = block->column[3];
    ONE_BY_ONE(a, b, c, d);
    block->column[0] = a ^ mix_column(a, b, c, d);
    ONE_BY_ONE(a, b, c, d);
    block->column[1] = b ^ mix_column(b, c, d, a);
    ONE_BY_ONE(a, b, c, d);
    block->column[2] = c ^ mix_column(c, d, a, b);
    ONE_BY_ONE(a, b, c, d);
    block->column[3] = d ^ mix_column(d, a, b, c);
}

__noinline int scramble(struct aes_block *block, __u32 rounds) {
    if (!block)
        return 0;
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < 3 && i < rounds; i++)
        aes_round(block);
    return 0;
}

static __always_inline void add_block(struct aes_block *to, const struct aes_block *from) {
    for (int i = 0; i < 4; i++)
        to->column[i] ^= from->column[i];
}

#define LANES 8
#define LANE_BYTES 16
#define ROUND_BYTES (LANES * LANE_BYTES) /* what all lanes together take of a long string at a time */
#define MAX_ROUNDS 256 /* of longer strings, 32 KiB, no hash is computed: that takes too long */

/* Sets a block to a lane's seed: the map's seed and the string's length, with the lane's part of the
 * schedule. */
static __always_inline void set_seed(struct aes_block *block, const struct lookup *l,
                                     const struct hash_state *state, __u32 lane) {
    __u32 length_pair = (__u32)(l->key_length & 0xffff) * 0x10001;
    __u32 first = 4 * (lane & (LANES - 1));
    block->column[0] = (__u32)l->seed ^ state->schedule[first];
    block->column[1] = (__u32)(l->seed >> 32) ^ state->schedule[first + 1];
    block->column[2] = length_pair ^ state->schedule[first + 2];
    block->column[3] = length_pair ^ state->schedule[first + 3];
}

/* Sets the lane's scrambled seed as key. */
__noinline int scramble_seed(struct lookup *l, const struct hash_state *state, __u32 lane) {
    if (!l || !state)
        return 0;
    set_seed(&l->string_hash.key, l, state, lane);
    return scramble(&l->string_hash.key, 1);
}

/* Mixes a lane's next block of a long string in; 1 ends the loop. */
static long mix_next_block(__u32 index __maybe_unused, struct lookup **self) {
    struct lookup *l = *self;
    struct string_hash *h = &l->string_hash;
    struct aes_block data;
    if (read_user(&data, sizeof(data), h->next)) {
        h->failed = 1;
        return 1;
    }
    scramble(&h->block, 1);
    /* A round with the string's bytes for its key: what the block as its own key has added is taken off. */
    h->before = h->block;
    scramble(&h->block, 1);
    add_block(&h->block, &h->before);
    add_block(&h->block, &data);
    h->next += ROUND_BYTES;
    return 0;
}

/* Lanes that a string of this length takes: 1, 2, 4 or 8. */
static __always_inline __u32 lanes_of(__u64 length) {
    return length <= LANE_BYTES ? 1 : length <= 2 * LANE_BYTES ? 2 : length <= 4 * LANE_BYTES ? 4 : LANES;
}

/* Where a lane's bytes are: the first lanes take the string's first bytes, or the first of its last 128; the
 * others its last. */
static __always_inline __u64 lane_offset(__u64 length, __u32 lane) {
    __u32 lanes = lanes_of(length);
    __u64 tail = length > ROUND_BYTES ? length - ROUND_BYTES : 0;
    if (lane < lanes / 2 || lanes == 1)
        return tail + lane * LANE_BYTES;
    return length - (lanes - lane) * LANE_BYTES;
}

/* The lane's bytes into its block. A string that is one piece is read once, also for comparing it. */
static __always_inline long copy_lane(struct lookup *l, __u64 offset) {
    struct aes_block *block = &l->string_hash.block;
    if (l->key_length > PIECE)
        return read_user(block, sizeof(*block), l->key + offset);
    if (read_left_piece(l, l->key, l->key_length))
        return -1;
    const __u8 *bytes = (const __u8 *)&l->pieces.left + within(offset, PIECE - LANE_BYTES + 1);
    for (int i = 0; i < 4; i++)
        block->column[i] = ((const __u32 *)bytes)[i];
    return 0;
}

/*
 * Adds what one lane contributes: its bytes of the string, zero-extended, and before them of long strings the
 * lane's part of each earlier round.
 */
__noinline int add_lane(struct lookup *l, const struct hash_state *state, __u32 lane) {
    if (!l || !state)
        return 0;
    struct string_hash *h = &l->string_hash;
    if (copy_lane(l, lane_offset(l->key_length, lane)))
        h->failed = 1;
    h->next = l->key + lane * LANE_BYTES;
    scramble_seed(l, state, lane);
    add_block(&h->block, &h->key);
    if (l->key_length > ROUND_BYTES)
        bpf_loop((l->key_length - 1) / ROUND_BYTES, mix_next_block, &l, 0);
    scramble(&h->block, 3);
    add_block(&h->sum, &h->block);
    return 0;
}

/*
 * Whether the hash state that was read is that of the image the process executes now: each draws a schedule
 * of its own. The last words are compared, since they are written last: another CPU may be reading the new
 * state at this moment.
 */
__noinline int is_current(const struct hash_state *state, __u64 bias) {
    const __u32 last = sizeof(state->schedule) - sizeof(__u64);
    __u64 now = 0, known = 0;
    if (!state || !state->ready || read_user(&now, sizeof(now), layout.aes_schedule + bias + last))
        return 0;
    __builtin_memcpy(&known, (const char *)state->schedule + last, sizeof(known));
    return now == known;
}

/* The process's hash state, read when it is new. NULL when it cannot be had or the process hashes without
 * AES. */
static __always_inline struct hash_state *find_hash_state(__u64 bias) {
    __u32 zero = 0;
    struct hash_state *state = bpf_map_lookup_elem(&hash_states, &zero);
    if (!state)
        return NULL;
    if (!is_current(state, bias)) {
        __u8 flag = 0;
        if (read_user(&flag, sizeof(flag), layout.aes_flag + bias) ||
            read_user(state->schedule, sizeof(state->schedule), layout.aes_schedule + bias))
            return NULL;
        state->uses_aes = flag;
        state->ready = 1;
    }
    return state->uses_aes ? state : NULL;
}

/* All lanes of the hash. */
static __always_inline int hash_lanes(struct lookup *l, const struct hash_state *state) {
    if (l->key_length == 0) {
        /* The empty string hashes to its seed, scrambled once more. */
        scramble_seed(l, state, 0);
        l->string_hash.sum = l->string_hash.key;
        return scramble(&l->string_hash.sum, 1);
    }
    for (__u32 lane = 0; lane < LANES; lane++)
        if (lane < lanes_of(l->key_length))
            add_lane(l, state, lane);
    return 0;
}

/*
 * The hash of a string of one lane, without calls: most strings are as short. The string's bytes come in
 * after the first of the four rounds, which scrambles the seed.
 */
static __always_inline int hash_short(struct lookup *l, const struct hash_state *state) {
    struct aes_block *block = &l->string_hash.block;
    if (read_left_piece(l, l->key, l->key_length))
        return -1;
    set_seed(block, l, state, 0);
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < 4; i++) {
        aes_round(block);
        if (i == 0)
            add_block(block, (const struct aes_block *)l->pieces.left);
    }
    l->hash = (__u64)block->column[1] << 32 | block->column[0];
    return 0;
}

/* Sets l->hash to the hash of the string, by the map's seed; 0 on success. */
__noinline int hash_string(struct lookup *l) {
    if (!l)
        return -1;
    if (!layout.hash_known || l->key_length > (__u64)MAX_ROUNDS * ROUND_BYTES)
        return -1;
    struct hash_state *state = find_hash_state(l->bias);
    if (!state)
        return -1;
    if (l->key_length != 0 && l->key_length <= LANE_BYTES)
        return hash_short(l, state);
    struct string_hash *h = &l->string_hash;
    h->failed = 0;
    for (int i = 0; i < 4; i++)
        h->sum.column[i] = 0;
    hash_lanes(l, state);
    l->hash = (__u64)h->sum.column[1] << 32 | h->sum.column[0];
    return h->failed ? -1 : 0;
}
