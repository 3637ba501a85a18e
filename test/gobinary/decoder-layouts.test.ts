// The C structs through which the decoder in bpf/ reads a target's memory, against the tables in src/gobinary.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { KIND_LAYOUT } from '../../src/gobinary/go/layouts.ts';
import {
  CLASSIC_MAP,
  CLASSIC_MAP_FIELDS,
  GROUPS_REFERENCE_FIELDS,
  HMAP_FIELDS,
  type MapTypeLayout,
  STRIDED_MAP,
  STRIDED_MAP_FIELDS,
  SWISS_HEADER_FIELDS,
  SWISS_MAP,
  SWISS_MAP_FIELDS,
  SWISS_TABLE_FIELDS,
} from '../../src/gobinary/go/map-layouts.ts';
import { removeTemporaryFiles, temporaryPath } from './files.ts';

const bpf = join(import.meta.dirname, '../../bpf');
const fixtures = join(import.meta.dirname, 'fixtures');

/** Each C struct of the decoder that lies over a structure of the target, and where the tables have its fields. */
const structs: Record<string, Record<string, number>> = {
  classic_map: {
    count: HMAP_FIELDS.count,
    flags: HMAP_FIELDS.flags,
    log2_buckets: HMAP_FIELDS.B,
    overflow_count: HMAP_FIELDS.noverflow,
    seed: HMAP_FIELDS.hash0,
    buckets: HMAP_FIELDS.buckets,
    old_buckets: HMAP_FIELDS.oldbuckets,
  },
  swiss_map: {
    used: SWISS_HEADER_FIELDS.used,
    seed: SWISS_HEADER_FIELDS.seed,
    directory: SWISS_HEADER_FIELDS.dirPtr,
    directory_length: SWISS_HEADER_FIELDS.dirLen,
    global_depth: SWISS_HEADER_FIELDS.globalDepth,
    global_shift: SWISS_HEADER_FIELDS.globalShift,
    writing: SWISS_HEADER_FIELDS.writing,
  },
  swiss_table: {
    used: SWISS_TABLE_FIELDS.used,
    capacity: SWISS_TABLE_FIELDS.capacity,
    growth_left: SWISS_TABLE_FIELDS.growthLeft,
    local_depth: SWISS_TABLE_FIELDS.localDepth,
    index: SWISS_TABLE_FIELDS.index,
    groups: SWISS_TABLE_FIELDS.groups + GROUPS_REFERENCE_FIELDS.data,
    length_mask: SWISS_TABLE_FIELDS.groups + GROUPS_REFERENCE_FIELDS.lengthMask,
  },
};

/** All headers of the decoder, without comments. */
const headers = readdirSync(bpf, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.bpf.h'))
  .map((name) => readFileSync(join(bpf, name), 'utf8').replace(/\/\*.*?\*\//gs, ''))
  .join('\n');

/** Names of a struct's fields, padding left out. */
function fieldNames(struct: string): string[] {
  const body = new RegExp(`struct ${struct} \\{([^}]*)\\}`).exec(headers)?.[1] ?? '';
  return [...body.matchAll(/__\w+ (\w+)(?:\[\w+\])?;/g)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'pad');
}

/** What fixtures/decoder.c prints. */
interface Decoded {
  offsets: Record<string, number>;
  failure: number;
  key: number;
  elem: number;
  keysOffset: number;
  keyStride: number;
  groupSize: number;
  indirectKey: number;
}

function decode(format: string, descriptor: Buffer): Decoded {
  const program = temporaryPath(`decoder-${format}`);
  const fields = Object.keys(structs).flatMap((struct) =>
    fieldNames(struct).map((field) => `FIELD(${struct}, ${field})`),
  );
  const defines = [
    `-DFORMAT=${format}`,
    `-DDESCRIPTOR=${[...descriptor].join(',')}`,
    `-DDECODER_FIELDS=${fields.join(' ')}`,
    '-DSLEEPABLE=0',
  ];
  const includes = [`-I${join(fixtures, 'host')}`, `-I${bpf}`];
  const source = join(fixtures, 'decoder.c');
  execFileSync('cc', ['-w', '-O1', ...defines, ...includes, '-o', program, source], { stdio: 'inherit' });
  return JSON.parse(execFileSync(program, { encoding: 'utf8' }));
}

/** One format of map type descriptors: where fields are that the decoder reads, as [offset, width], and how a descriptor is to be understood. */
interface Format {
  readonly layout: MapTypeLayout;
  readonly keyStride: readonly [number, number];
  readonly groupSize: readonly [number, number];
  readonly keysOffset?: readonly [number, number];
}

const formats: Readonly<Record<string, Format>> = {
  FORMAT_CLASSIC: {
    layout: CLASSIC_MAP,
    keyStride: [CLASSIC_MAP_FIELDS.keySlot, 1],
    groupSize: [CLASSIC_MAP_FIELDS.bucketSize, 2],
  },
  FORMAT_SLOTS: {
    layout: SWISS_MAP,
    keyStride: [SWISS_MAP_FIELDS.slotSize, 8],
    groupSize: [SWISS_MAP_FIELDS.groupSize, 8],
  },
  FORMAT_STRIDES: {
    layout: STRIDED_MAP,
    keyStride: [STRIDED_MAP_FIELDS.keyStride, 8],
    groupSize: [STRIDED_MAP_FIELDS.groupSize, 8],
    keysOffset: [STRIDED_MAP_FIELDS.keysOffset, 8],
  },
};

/** A descriptor with these values, and 0xee where the decoder has nothing to read. */
function descriptor(
  format: Format,
  values: Record<'keyStride' | 'groupSize' | 'keysOffset', number>,
): Buffer {
  const bytes = Buffer.alloc(format.layout.size, 0xee);
  bytes.writeBigUInt64LE(0x11_0000n, KIND_LAYOUT.map.key);
  bytes.writeBigUInt64LE(0x22_0000n, KIND_LAYOUT.map.elem);
  for (const field of ['keyStride', 'groupSize', 'keysOffset'] as const) {
    const [offset, width] = format[field] ?? [0, 0];
    bytes.fill(0, offset, offset + width);
    if (width > 0) {
      bytes.writeUInt8(values[field], offset);
    }
  }
  return bytes;
}

describe('the decoder reads what the tables say', () => {
  after(removeTemporaryFiles);

  for (const [name, format] of Object.entries(formats)) {
    test(name, () => {
      const values = { keyStride: 16, groupSize: 200, keysOffset: format.keysOffset ? 24 : 8 };
      const bytes = descriptor(format, values);
      const { indirectKey, flags } = format.layout;
      bytes.writeUInt32LE(indirectKey, flags);
      const { offsets, ...info } = decode(name, bytes);
      assert.deepEqual(info, { failure: 0, key: 0x11_0000, elem: 0x22_0000, ...values, indirectKey: 1 });
      bytes.writeUInt32LE(~indirectKey >>> 0, flags);
      assert.equal(decode(name, bytes).indirectKey, 0);

      const table = Object.entries(structs).flatMap(([struct, fields]) =>
        Object.entries(fields).map(([field, offset]) => [`${struct}.${field}`, offset]),
      );
      assert.deepEqual(offsets, Object.fromEntries(table));
    });
  }
});
