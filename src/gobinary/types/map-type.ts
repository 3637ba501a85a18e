/** One comparison of a part of a key. Offset and size in bytes. Strings are 16 bytes (pointer, length), interfaces too. */
export interface EqualStep {
  kind: 'memory' | 'string' | 'float32' | 'float64' | 'eface' | 'iface';
  offset: number;
  size: number;
}

/** How Go decides that two values of a type are equal: all steps must hold. No steps: all values are equal. */
export type Equality =
  | { readonly known: true; readonly steps: readonly EqualStep[] }
  | { readonly known: false; readonly reason: string };

/**
 * A map type, and where a bucket (classic) or group (Swiss) of its maps keeps keys and elements: key i is at
 * keysOffset + i * keyStride, element i at elemsOffset + i * elemStride, i = 0..7. Sizes and offsets in bytes.
 * Addresses are link-time ones; for a type made at run time, the live address minus the load bias.
 */
export interface MapType {
  readonly address: number;
  /** As reflect prints it, for example "map[string]*main.User". */
  readonly name: string;
  /** It was declared (`type Users map[string]*User`): `name` does not tell of keys and elements then. */
  readonly isDeclared: boolean;
  readonly keyName: string;
  readonly elemName: string;
  /** Size of a key, also where the slot holds only a pointer to it. */
  readonly keySize: number;
  readonly keysOffset: number;
  readonly keyStride: number;
  readonly elemsOffset: number;
  readonly elemStride: number;
  /** Size of a group, or of a classic bucket including its overflow pointer. */
  readonly groupSize: number;
  /** The slot holds a pointer to the key, as it is longer than 128 bytes. */
  readonly indirectKey: boolean;
  readonly indirectElem: boolean;
  readonly keyType: number;
  readonly elemType: number;
  readonly keyEquality: Equality;
  /** Address of the hash function's code. */
  readonly hasher: number;
}
