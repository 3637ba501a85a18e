import { recordConstant, wideRecordConstant } from '../../kernel/records.ts';

/** How large a table may become: beyond that addresses are left out. */
const MOST_PLACES = 2 ** 20;

export interface AddressPlaces {
  /** Size of the table: a power of two. */
  readonly places: number;
  /** Index of an address in the list given, to its place. */
  readonly indices: ReadonlyMap<number, number>;
}

/** Lays out a table in which the program looks for addresses (ADDRESS_TRIES in bpf/shared/hash.h). */
export function placeAddresses(addresses: readonly number[]): AddressPlaces {
  const multiplier = wideRecordConstant('HASH_MULTIPLIER');
  const hashes = addresses.map((address) => Number(((BigInt(address) * multiplier) >> 32n) & 0xffffffffn));
  let places = 1;
  while (places < 2 * addresses.length) {
    places *= 2;
  }
  for (; ; places *= 2) {
    const indices = place(hashes, places);
    if (indices.size === hashes.length || 2 * places > MOST_PLACES) {
      return { places, indices };
    }
  }
}

function place(hashes: readonly number[], places: number): Map<number, number> {
  const tries = recordConstant('ADDRESS_TRIES');
  const indices = new Map<number, number>();
  const taken = new Set<number>();
  hashes.forEach((hash, index) => {
    for (let i = 0; i < tries; i++) {
      const at = (hash + i) % places;
      if (taken.has(at)) {
        continue;
      }
      taken.add(at);
      indices.set(index, at);
      return;
    }
  });
  return indices;
}
