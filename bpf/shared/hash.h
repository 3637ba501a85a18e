/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Hashes, and the tables that user space lays out for the programs.
 */
#ifndef MAPSCOPE_SHARED_HASH_H
#define MAPSCOPE_SHARED_HASH_H

#include <linux/types.h>

/* Spreads addresses over a table: 2^64 divided by the golden ratio (Knuth, The Art of Computer
 * Programming, 6.4). */
enum hash_multiplier { HASH_MULTIPLIER = 0x9e3779b97f4a7c15ULL };

/* The second multiplication where one is not enough (Steele, Lea and Flood, Fast Splittable Pseudorandom
 * Number Generators, 2014). */
enum spread_multiplier { SPREAD_MULTIPLIER = 0xbf58476d1ce4e5b9ULL };

/*
 * Hash tables that user space lays out in arrays, by address. An address is in one of ADDRESS_TRIES places
 * from that of its hash on, and nothing but addresses is before it; the hash are the bits from 32 on of the
 * address times HASH_MULTIPLIER. A place is empty when its address is 0.
 */
enum address_table { ADDRESS_TRIES = 8 };

#endif
