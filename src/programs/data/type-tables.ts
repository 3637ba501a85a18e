import {
  dynamicTypes,
  type Equality,
  type EqualStep,
  type GoBinary,
  type MapType,
} from '../../gobinary/index.ts';
import {
  encodeRecords,
  member,
  type NumberConstant,
  type RecordValues,
  recordConstant,
  type Struct,
} from '../../kernel/records.ts';
import { placeAddresses } from './address-places.ts';

/** Contents of one of the program's maps: keys and values, packed one after the other. */
export interface MapContents {
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly count: number;
}

/** What the program must know of the target's types, as contents of its maps `map_types`, `dynamic_types`, `equal_steps`. */
export interface TypeTables {
  readonly mapTypes: MapContents;
  readonly dynamicTypes: MapContents;
  readonly equalSteps: MapContents;
  /** Places in `map_types`, most of them empty. */
  readonly mapTypePlaces: number;
}

const STEP_KINDS: Readonly<Record<EqualStep['kind'], NumberConstant>> = {
  memory: 'EQUAL_MEMORY',
  string: 'EQUAL_STRING',
  float32: 'EQUAL_FLOAT32',
  float64: 'EQUAL_FLOAT64',
  eface: 'EQUAL_EFACE',
  iface: 'EQUAL_IFACE',
};

/** Indices of steps are 16 bits wide in the records. */
const MOST_STEPS = 0xffff;

/**
 * Describes the binary's map types for the program, and all comparable types: they may turn up in interface keys, or as
 * keys of map types that reflect makes.
 */
export function typeTables(binary: GoBinary): TypeTables {
  const steps = new StepList();
  const maps = binary.mapTypes();
  // A type that finds no place is described by the program, as those that reflect makes are.
  const { places, indices } = placeAddresses(maps.map((type) => type.address));
  const placed = [...indices.keys()];
  const mapRecords = placed.map((i) => mapTypeRecord(maps[i] as MapType, steps));
  const dynamic = [...dynamicTypes(binary)];
  const dynamicRecords = dynamic.map((type) => ({
    direct: Number(type.direct),
    ...equalityFields(type.equality, steps),
  }));
  return {
    mapTypes: {
      keys: indexKeys([...indices.values()]),
      values: encodeRecords('map_type_entry', mapRecords),
      count: mapRecords.length,
    },
    mapTypePlaces: places,
    dynamicTypes: contents(
      dynamic.map((t) => t.address),
      'dynamic_type_info',
      dynamicRecords,
    ),
    equalSteps: steps.contents(),
  };
}

function mapTypeRecord(type: MapType, steps: StepList): RecordValues<'map_type_entry'> {
  const info: RecordValues<'map_type_info'> = {
    keys_offset: type.keysOffset,
    key_stride: type.keyStride,
    group_size: type.groupSize,
    group_copy: groupCopy(type),
    copied_key: copiedKey(type),
    indirect_key: Number(type.indirectKey),
    inexact_reason: type.keyEquality.known ? 0 : recordConstant('INEXACT_UNKNOWN_EQUALITY'),
    ...equalityFields(type.keyEquality, steps),
  };
  return { address: type.address, ...member('info', 'map_type_info', info) };
}

/** How much of a group or bucket the program reads at once: all of it, or all of its keys, or the first word only. */
function groupCopy({ groupSize, keysOffset, keyStride }: MapType): number {
  const most = recordConstant('GROUP_COPY');
  if (groupSize <= most) {
    return groupSize;
  }
  const keys = keysOffset + 8 * keyStride;
  return keys <= most ? keys : 8;
}

/** Bytes of a key that its comparison looks at, when it can be done on copies: few steps, and no interface among them. */
function copiedKey({ indirectKey, keyEquality }: MapType): number {
  if (indirectKey || !keyEquality.known) {
    return 0;
  }
  const { steps } = keyEquality;
  if (steps.length > recordConstant('COPIED_KEY_STEPS')) {
    return 0;
  }
  if (steps.some(({ kind }) => kind === 'eface' || kind === 'iface')) {
    return 0;
  }
  const bytes = Math.max(0, ...steps.map(({ offset, size }) => offset + size));
  return bytes <= recordConstant('KEY_COPY') ? bytes : 0;
}

/** What both kinds of records say of a type's equality. */
function equalityFields(
  equality: Equality,
  steps: StepList,
): RecordValues<'map_type_info'> & RecordValues<'dynamic_type_info'> {
  const first = equality.known ? steps.add(equality.steps) : undefined;
  if (first === undefined || !equality.known) {
    return { equality_known: 0 };
  }
  return { equality_known: 1, equal_first: first, equal_count: equality.steps.length };
}

/** All step lists behind one another; equal lists are kept once. */
class StepList {
  readonly #records: RecordValues<'equal_step'>[] = [];
  readonly #known = new Map<string, number>();

  /** Index of the list's first step; undefined when there is no room for it. */
  add(steps: readonly EqualStep[]): number | undefined {
    const key = JSON.stringify(steps);
    const known = this.#known.get(key);
    if (known !== undefined) {
      return known;
    }
    const first = this.#records.length;
    if (first + steps.length > MOST_STEPS) {
      return undefined;
    }
    for (const { kind, offset, size } of steps) {
      this.#records.push({ kind: recordConstant(STEP_KINDS[kind]), offset, size });
    }
    this.#known.set(key, first);
    return first;
  }

  contents(): MapContents {
    const keys = indexKeys(this.#records.map((_, i) => i));
    return { keys, values: encodeRecords('equal_step', this.#records), count: this.#records.length };
  }
}

function contents<S extends Struct>(
  addresses: readonly number[],
  struct: S,
  records: readonly RecordValues<S>[],
): MapContents {
  return { keys: addressKeys(addresses), values: encodeRecords(struct, records), count: records.length };
}

/** Addresses as 64-bit map keys; negative ones as the program computes them. */
export function addressKeys(addresses: readonly number[]): Buffer {
  const keys = Buffer.alloc(8 * addresses.length);
  addresses.forEach((address, i) => {
    keys.writeBigInt64LE(BigInt(address), 8 * i);
  });
  return keys;
}

/** Indices as keys of an array map. */
export function indexKeys(indices: readonly number[]): Buffer {
  const keys = Buffer.alloc(4 * indices.length);
  indices.forEach((index, i) => {
    keys.writeUInt32LE(index, 4 * i);
  });
  return keys;
}
