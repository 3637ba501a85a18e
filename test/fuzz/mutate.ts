import type { Region } from './elfwriter.ts';
import type { Random } from './random.ts';
import type { Edit } from './recipe.ts';
import type { Seed } from './shrink.ts';

const interesting = [
  ...[0n, 1n, 2n, 7n, 8n, 16n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x3ffn, 0xfffn, 0x7fffn, 0xffffn, 0x10_0000n],
  ...[
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_fff0n,
    0xffff_ffffn,
    2n ** 40n,
    2n ** 47n - 1n,
    2n ** 47n,
    2n ** 53n,
  ],
  ...[2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
] as const;
const widths = [1, 2, 4, 4, 8, 8] as const;
/** Sizes of the records that the tables are made of. */
const recordSizes = [1, 4, 8, 16, 20, 24, 40, 44, 48, 56, 64] as const;
const maxRun = 512;

/** Makes the next edit of a file that is `bytes` by now. */
export type Mutator = (seed: Seed, bytes: Buffer, random: Random) => Edit;

/**
 * Structured mutation: an edit changes a word, a record or a run of bytes of one region, which is chosen by its kind first, so
 * that a header of 64 bytes is damaged as often as a table of 60 KB.
 */
export const mutate: Mutator = (seed, bytes, random) => {
  if (random.oneIn(60)) {
    return { truncate: cut(seed, bytes, random) };
  }
  if (random.oneIn(200)) {
    return { append: runOf(random, 1 + random.below(maxRun)).toString('hex') };
  }
  const region = pickRegion(seed, random);
  const part = bytes.subarray(region.start, region.start + region.length);
  if (part.length < 8) {
    return { truncate: cut(seed, bytes, random) };
  }
  const { at, content } = random.pick(kinds)(part, random, seed);
  return { region: region.name, at, hex: content.subarray(0, part.length - at).toString('hex') };
};

function pickRegion(seed: Seed, random: Random): Region {
  const kindOf = ({ name }: Region): string => name.replace(/ \d+$/, '');
  const kinds = [...new Set(seed.regions.map(kindOf))];
  const kind = random.pick(kinds);
  const region = random.pick(seed.regions.filter((candidate) => kindOf(candidate) === kind));
  if (region === undefined) {
    throw new Error('a seed without regions');
  }
  return region;
}

/** A length to cut the file to: in or at the end of a region, or anywhere. */
function cut(seed: Seed, bytes: Buffer, random: Random): number {
  const { start, length } = pickRegion(seed, random);
  return random.oneIn(2) ? random.below(bytes.length + 1) : start + random.below(length + 1);
}

interface Write {
  at: number;
  content: Buffer;
}
type Kind = (part: Buffer, random: Random, seed: Seed) => Write;

/** Most of what counts is near the start of a table, and aligned. */
function position(part: Buffer, width: number, random: Random): number {
  const slots = Math.max(1, Math.floor(part.length / width));
  const near = random.oneIn(3) ? Math.min(slots, 16) : slots;
  return random.below(near) * width;
}

function littleEndian(value: bigint, width: number): Buffer {
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(BigInt.asUintN(64, value));
  return word.subarray(0, width);
}

function wordAt(part: Buffer, at: number, width: number): bigint {
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) {
    value = (value << 8n) | BigInt(part[at + i] ?? 0);
  }
  return value;
}

const setWord: Kind = (part, random) => {
  const width = random.pick(widths);
  const at = position(part, width, random);
  return { at, content: littleEndian(random.pick(interesting) ?? 0n, width) };
};

/** Near what it was. */
const addToWord: Kind = (part, random) => {
  const width = random.pick(widths);
  const at = position(part, width, random);
  const change = BigInt(random.below(129) - 64) * random.pick([1n, 1n, 8n, 4096n]);
  return { at, content: littleEndian(wordAt(part, at, width) + change, width) };
};

const flipBit: Kind = (part, random) => {
  const at = random.below(part.length);
  return { at, content: Buffer.of((part[at] ?? 0) ^ (1 << random.below(8))) };
};

/** A pointer to, or near, something that exists. */
const setAddress: Kind = (part, random, seed) => {
  const at = position(part, 8, random);
  const near = random.oneIn(2) ? 0 : random.pick([-8, -1, 1, 4, 8, 24, 48, 4096]);
  const address = Math.max(0, (random.pick(seed.addresses) ?? 0) + near);
  return { at, content: littleEndian(BigInt(address), 8) };
};

/** One record in the place of another. */
const copyRecord: Kind = (part, random) => {
  const size = random.pick(recordSizes);
  const from = position(part, size, random);
  return { at: position(part, size, random), content: Buffer.from(part.subarray(from, from + size)) };
};

/** The same record many times over. */
const repeatRecord: Kind = (part, random) => {
  const size = random.pick(recordSizes);
  const from = position(part, size, random);
  const record = Buffer.from(part.subarray(from, from + size));
  return { at: position(part, size, random), content: Buffer.alloc(size * random.below(64), record) };
};

/** Everything behind moves up or down by a few bytes. */
const shift: Kind = (part, random) => {
  const at = random.below(part.length);
  const by = random.below(17) - 8;
  const from = Math.max(0, at + by);
  return { at, content: Buffer.from(part.subarray(from, from + random.below(maxRun))) };
};

/** Codes of DWARF forms, tags and attributes are small, and so are kinds of types and of ELF headers. */
const setSmall: Kind = (part, random) => ({
  at: random.below(part.length),
  content: Buffer.of(random.below(0x40)),
});

/** Texts that are looked for. */
const setText: Kind = (part, random) => ({
  at: position(part, random.pick([1, 16]), random),
  content: Buffer.from(random.pick(texts), 'latin1'),
});
const texts = [
  ...['go1.28.1', 'go1.16', 'go1.999', 'devel go1.27-0', 'go1.26rc1', '\xff Go buildinf:', 'GOEXPERIMENT='],
  ...['runtime.hashGrow\0', 'runtime.hmap\0', 'internal/abi.MapType\0', 'ZLIB\0\0\0\0', 'Go\0\0'],
  ...['\xf0\xff\xff\xff\0\0\x01\x08', '\xfa\xff\xff\xff\0\0\x01\x08', '\xfb\xff\xff\xff\0\0\x01\x08'],
] as const;

const fill: Kind = (part, random) => ({
  at: random.below(part.length),
  content: runOf(random, 1 + random.below(random.oneIn(4) ? maxRun : 16)),
});

/** Base-128 numbers: the longest, the largest, ones that do not end. */
const setVarint: Kind = (part, random) => ({
  at: random.below(part.length),
  content: Buffer.from(
    random.pick([
      '80808000',
      'ffffffff0f',
      'ffffffff7f',
      'ffffffffffffffffff01',
      '8080808080',
      'ff7f',
      '807d',
    ]),
    'hex',
  ),
});

const kinds: readonly [Kind, ...Kind[]] = [
  ...([setWord, setWord, setWord, addToWord, addToWord, flipBit] as const),
  ...([setAddress, setAddress, copyRecord, repeatRecord, shift, fill, setVarint, setSmall, setText] as const),
];

function runOf(random: Random, length: number): Buffer {
  const constant = random.pick([0, 0xff, 0x80, -1, -1]);
  return Buffer.from(Array.from({ length }, () => (constant < 0 ? random.below(256) : constant)));
}
