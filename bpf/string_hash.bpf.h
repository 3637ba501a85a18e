/*
 * Go's string hash with AES instructions, in software: runtime.aeshashbody, src/runtime/asm_amd64.s up
 * to 1.26 and src/internal/runtime/maps/memhash_amd64.s in 1.27; the algorithm has not changed since 1.17.
 *
 * It is needed in one place only. A string lookup in a small Swiss map hashes inside a helper that no longer
 * knows the type and the map, so its probe site lies before the hash, and which slots were compared follows
 * from the hash.
 */
#pragma once

#include "memory.bpf.h"

/* The parts of a process's hash state that never change once the runtime has started. */
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

struct aes_block {
    __u32 column[4];
};

inline_always __u32 rotate(__u32 x, __u32 bits) { return x << bits | x >> (32 - bits); }

inline_always __u32 mix_column(__u32 a, __u32 b, __u32 c, __u32 d) {
    return aes_table[a & 255] ^ rotate(aes_table[b >> 8 & 255], 8) ^ rotate(aes_table[c >> 16 & 255], 16) ^
           rotate(aes_table[d >> 24 & 255], 24);
}

/* AESENC: one round with a round key, which may be the block itself. */
separate int aes_encrypt(struct aes_block *block, const struct aes_block *key) {
    if (!block || !key)
        return 0;
    __u32 a = block->column[0], b = block->column[1], c = block->column[2], d = block->column[3];
    __u32 key0 = key->column[0], key1 = key->column[1], key2 = key->column[2], key3 = key->column[3];
    block->column[0] = key0 ^ mix_column(a, b, c, d);
    block->column[1] = key1 ^ mix_column(b, c, d, a);
    block->column[2] = key2 ^ mix_column(c, d, a, b);
    block->column[3] = key3 ^ mix_column(d, a, b, c);
    return 0;
}

#define LANES 8
#define LANE_BYTES 16
#define ROUND_BYTES (LANES * LANE_BYTES) /* what all lanes together take of a long string at a time */
#define MAX_ROUNDS (1 << 17)

/* One lane of the hash of a string; the lanes' results are combined by xor. */
struct string_hash {
    __u64 address;
    __u64 length;
    __u64 seed;
    const struct hash_state *state;
    __u64 next; /* where the lane's next block of a long string is */
    struct aes_block block;
    struct aes_block sum;
    __u32 failed;
};

/* A lane's scrambled seed: the map's seed and the string's length, with the lane's own bytes of the schedule.
 */
inline_always void scramble_seed(const struct string_hash *h, __u32 lane, struct aes_block *seed) {
    __u32 length_pair = (__u32)(h->length & 0xffff) * 0x10001;
    const __u32 *schedule = &h->state->schedule[4 * (lane & (LANES - 1))];
    seed->column[0] = (__u32)h->seed ^ schedule[0];
    seed->column[1] = (__u32)(h->seed >> 32) ^ schedule[1];
    seed->column[2] = length_pair ^ schedule[2];
    seed->column[3] = length_pair ^ schedule[3];
    aes_encrypt(seed, seed);
}

/* Mixes a lane's next block of a long string in; 1 ends the loop. */
static long mix_next_block(__u32 index unused, struct string_hash *h) {
    struct aes_block data;
    if (read_user(&data, sizeof(data), h->next)) {
        h->failed = 1;
        return 1;
    }
    aes_encrypt(&h->block, &h->block);
    aes_encrypt(&h->block, &data);
    h->next += ROUND_BYTES;
    return 0;
}

/*
 * Adds what one lane contributes: `size` bytes of the string at `offset`, zero-extended, and before them of
 * long strings the lane's part of each earlier round.
 */
called void add_lane(struct string_hash *h, __u32 lane, __u64 offset, __u32 size, __u32 rounds) {
    struct aes_block seed;
    __builtin_memset(&h->block, 0, sizeof(h->block));
    if (size > sizeof(h->block))
        size = sizeof(h->block);
    if (read_user(&h->block, size, h->address + offset))
        h->failed = 1;
    scramble_seed(h, lane, &seed);
    for (int i = 0; i < 4; i++)
        h->block.column[i] ^= seed.column[i];
    h->next = h->address + lane * LANE_BYTES;
    if (rounds)
        bpf_loop(rounds, mix_next_block, h, 0);
    for (int i = 0; i < 3; i++)
        aes_encrypt(&h->block, &h->block);
    for (int i = 0; i < 4; i++)
        h->sum.column[i] ^= h->block.column[i];
}

/* The process's hash state, read once. NULL when it cannot be had or the process hashes without AES. */
inline_always struct hash_state *find_hash_state(__u64 bias) {
    __u32 zero = 0;
    struct hash_state *state = bpf_map_lookup_elem(&hash_states, &zero);
    if (!state)
        return NULL;
    if (!state->ready) {
        __u8 flag = 0;
        if (read_user(&flag, sizeof(flag), layout.aes_flag + bias) ||
            read_user(state->schedule, sizeof(state->schedule), layout.aes_schedule + bias))
            return NULL;
        state->uses_aes = flag;
        state->ready = 1;
    }
    return state->uses_aes ? state : NULL;
}

/* Lanes of the hash over the first and the last bytes of a string: how many of each, by its length. */
called void hash_by_length(struct string_hash *h) {
    __u64 length = h->length;
    __u32 half = length <= 32 ? 1 : length <= 64 ? 2 : 4;
    __u32 rounds = length > ROUND_BYTES ? (length - 1) / ROUND_BYTES : 0;
    __u64 tail = rounds ? length - ROUND_BYTES : 0;
    if (length == 0) {
        /* The empty string hashes to its seed, scrambled once more. */
        scramble_seed(h, 0, &h->sum);
        aes_encrypt(&h->sum, &h->sum);
        return;
    }
    if (length <= LANE_BYTES) {
        add_lane(h, 0, 0, length, 0);
        return;
    }
    for (__u32 i = 0; i < LANES / 2 && i < half; i++)
        add_lane(h, i, tail + i * LANE_BYTES, LANE_BYTES, rounds);
    for (__u32 i = 0; i < LANES / 2 && i < half; i++)
        add_lane(h, half + i, length - (half - i) * LANE_BYTES, LANE_BYTES, rounds);
}

/* The hash of a string; 0 on success. */
separate int hash_string(const struct lookup *l, __u64 seed, __u64 *hash) {
    if (!l || !hash)
        return -1;
    if (!layout.hash_known || l->key_length > (__u64)MAX_ROUNDS * ROUND_BYTES)
        return -1;
    struct hash_state *state = find_hash_state(l->bias);
    if (!state)
        return -1;
    struct string_hash h = {.address = l->key, .length = l->key_length, .seed = seed, .state = state};
    hash_by_length(&h);
    *hash = (__u64)h.sum.column[1] << 32 | h.sum.column[0];
    return h.failed ? -1 : 0;
}
