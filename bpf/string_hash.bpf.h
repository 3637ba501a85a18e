/*
 * Go's string hash with AES instructions, in software: runtime.aeshashbody, src/runtime/asm_amd64.s up to 1.26 and
 * src/internal/runtime/maps/memhash_amd64.s in 1.27; the algorithm has not changed since 1.17.
 *
 * It is needed in one place only. A string lookup in a small Swiss map hashes inside a helper that no longer knows the
 * type and the map, so its probe site lies before the hash, and which slots were compared follows from the hash.
 */
#pragma once

#include "memory.bpf.h"

#define HASHABLE_LENGTH 64

/* The parts of a process's hash state that never change once the runtime has started. */
struct hash_state {
    __u32 ready;
    __u32 uses_aes;
    __u32 schedule[16];
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

inline_always __u32 rotate(__u32 x, __u32 bits)
{
    return x << bits | x >> (32 - bits);
}

inline_always __u32 mix_column(__u32 a, __u32 b, __u32 c, __u32 d)
{
    return aes_table[a & 255] ^ rotate(aes_table[b >> 8 & 255], 8) ^ rotate(aes_table[c >> 16 & 255], 16) ^
           rotate(aes_table[d >> 24 & 255], 24);
}

/* AESENC with the block as its own round key, as Go's hash uses it throughout. */
separate int aes_encrypt(struct aes_block *block)
{
    if (!block)
        return 0;
    __u32 a = block->column[0], b = block->column[1], c = block->column[2], d = block->column[3];
    block->column[0] = a ^ mix_column(a, b, c, d);
    block->column[1] = b ^ mix_column(b, c, d, a);
    block->column[2] = c ^ mix_column(c, d, a, b);
    block->column[3] = d ^ mix_column(d, a, b, c);
    return 0;
}

struct string_hash {
    __u64 address;
    __u64 length;
    __u64 seed;
    const struct hash_state *state;
    struct aes_block sum;
};

/*
 * Adds what one 16-byte block of the string contributes. `lane` numbers the seeds, each scrambled with its own 16 bytes of
 * the schedule. Returns 0 when the bytes cannot be read.
 */
called int hash_block(struct string_hash *h, __u32 lane, __u64 offset, __u32 size)
{
    struct aes_block key, data = {};
    __u32 length_pair = (__u32)(h->length & 0xffff) * 0x10001;
    if (size > sizeof(data))
        size = sizeof(data);
    if (size && read_user(&data, size, h->address + offset))
        return 0;
    lane &= 3;
    key.column[0] = (__u32)h->seed ^ h->state->schedule[4 * lane];
    key.column[1] = (__u32)(h->seed >> 32) ^ h->state->schedule[4 * lane + 1];
    key.column[2] = length_pair ^ h->state->schedule[4 * lane + 2];
    key.column[3] = length_pair ^ h->state->schedule[4 * lane + 3];
    aes_encrypt(&key);
    for (int i = 0; i < 4; i++)
        data.column[i] ^= key.column[i];
    aes_encrypt(&data);
    aes_encrypt(&data);
    aes_encrypt(&data);
    for (int i = 0; i < 4; i++)
        h->sum.column[i] ^= data.column[i];
    return 1;
}

/* The empty string hashes to its seed, scrambled twice. */
called int hash_nothing(struct string_hash *h)
{
    h->sum.column[0] = (__u32)h->seed ^ h->state->schedule[0];
    h->sum.column[1] = (__u32)(h->seed >> 32) ^ h->state->schedule[1];
    h->sum.column[2] = h->state->schedule[2];
    h->sum.column[3] = h->state->schedule[3];
    aes_encrypt(&h->sum);
    aes_encrypt(&h->sum);
    return 1;
}

/* The process's hash state, read once. NULL when it cannot be had or the process hashes without AES. */
inline_always struct hash_state *find_hash_state(__u64 bias)
{
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

/* The hash of a string of up to HASHABLE_LENGTH bytes; 0 on success. */
separate int hash_string(const struct lookup *l, __u64 seed, __u64 *hash)
{
    if (!l || !hash)
        return -1;
    __u64 length = l->key_length;
    int read;
    if (!layout.hash_known || length > HASHABLE_LENGTH)
        return -1;
    struct hash_state *state = find_hash_state(l->bias);
    if (!state)
        return -1;
    struct string_hash h = {.address = l->key, .length = length, .seed = seed, .state = state};
    if (length == 0) {
        read = hash_nothing(&h);
    } else if (length <= 16) {
        read = hash_block(&h, 0, 0, length);
    } else {
        read = hash_block(&h, 0, 0, 16);
        if (length <= 32) {
            read &= hash_block(&h, 1, length - 16, 16);
        } else {
            read &= hash_block(&h, 1, 16, 16);
            read &= hash_block(&h, 2, length - 32, 16);
            read &= hash_block(&h, 3, length - 16, 16);
        }
    }
    *hash = (__u64)h.sum.column[1] << 32 | h.sum.column[0];
    return read ? 0 : -1;
}
