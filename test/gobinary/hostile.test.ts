import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  BinaryError,
  dynamicTypes,
  type GoBinary,
  openGoBinary,
  typeEquality,
} from '../../src/gobinary/index.ts';
import { build, toolchains } from './build.ts';
import { removeTemporaryFiles, temporaryPath } from './files.ts';
import { processorTime } from './measure.ts';

/** More runs find more: FUZZ_RUNS=10000. */
const runs = Number(process.env.FUZZ_RUNS ?? 120);

/** Uses everything the interface offers; only BinaryError may come out, and only where it is documented. */
function useAll(binary: GoBinary): void {
  const attempt = (use: () => void): void => {
    try {
      use();
    } catch (error) {
      if (!(error instanceof BinaryError)) {
        throw error;
      }
    }
  };
  attempt(() => {
    let seen = 0;
    for (const fn of binary.functions()) {
      if (++seen % 16 !== 0) {
        continue;
      }
      attempt(() => binary.code(fn));
      attempt(() => binary.frames(fn.end - 1));
      attempt(() => binary.spDelta(fn.entry + 4));
    }
  });
  attempt(() => binary.functionsNamed('main.main'));
  attempt(() => binary.functionAt(binary.types.start));
  attempt(() => binary.symbol('main.main'));
  for (const type of binary.mapTypes()) {
    typeEquality(binary, type.keyType);
  }
  for (const type of dynamicTypes(binary)) {
    assert.ok(type.size >= 0);
  }
  typeEquality(binary, 0);
  typeEquality(binary, binary.types.end - 4);
}

/** Ranges worth damaging: headers, and what the Go tables of the intact program are made of. */
function targets(path: string): { start: number; length: number }[] {
  const file = readFileSync(path);
  const sections = Number(file.readBigUInt64LE(40));
  const names = Number(file.readBigUInt64LE(sections + 64 * file.readUInt16LE(62) + 24));
  const ranges = [
    { start: 0, length: 64 },
    { start: 64, length: 56 * file.readUInt16LE(56) },
    { start: sections, length: 64 * file.readUInt16LE(60) },
  ];
  for (let i = 0; i < file.readUInt16LE(60); i++) {
    const at = sections + 64 * i;
    const name = names + file.readUInt32LE(at);
    const label = file.toString('latin1', name, file.indexOf(0, name));
    const start = Number(file.readBigUInt64LE(at + 24));
    const length = Number(file.readBigUInt64LE(at + 32));
    const table = /^\.(go.*|data.*|noptrdata|rodata|dynamic|rela.*|typelink|symtab|strtab|note.*)$/.test(
      label,
    );
    if (!table || length === 0) {
      continue;
    }
    ranges.push({ start, length });
    if (length > 256) {
      ranges.push({ start, length: 256 });
    }
  }
  const module = openGoBinary(path).symbol('runtime.firstmoduledata');
  const segment = openGoBinary(path)
    .segments()
    .find(
      ({ address, fileSize }) => module && module.address >= address && module.address < address + fileSize,
    );
  if (module && segment) {
    ranges.push({ start: segment.fileOffset + module.address - segment.address, length: module.size });
  }
  return ranges;
}

const interesting = [
  0n,
  1n,
  7n,
  8n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 47n,
  2n ** 63n,
  2n ** 64n - 1n,
];

describe('damaged programs', () => {
  after(removeTemporaryFiles);

  for (const [minor, ...flags] of [
    [17],
    [19],
    [23],
    [26],
    [27],
    [18, '-buildmode=pie'],
    [27, '-buildmode=pie'],
  ] as const) {
    test(`Go 1.${minor} ${flags.join(' ')}: never anything but a BinaryError, in bounded time`, () => {
      const path = build({ program: 'structs', toolchain: toolchains.get(minor) ?? '', flags });
      const original = readFileSync(path);
      const ranges = targets(path);
      const damage = fc.record({
        range: fc.nat(ranges.length - 1),
        position: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        align: fc.constantFrom(1, 4, 8),
        value: fc.oneof(fc.constantFrom(...interesting), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
        width: fc.constantFrom(1, 2, 4, 8),
        repeat: fc.oneof(
          { weight: 8, arbitrary: fc.constant(1) },
          { weight: 1, arbitrary: fc.integer({ min: 2, max: 4000 }) },
        ),
      });
      const copy = temporaryPath(`damaged-${minor}`);
      let opened = 0;
      fc.assert(
        fc.property(
          fc.array(damage, { minLength: 1, maxLength: 3 }),
          fc.option(fc.nat(original.length), { freq: 20 }),
          (list, cut) => {
            const bytes = Buffer.from(original);
            for (const { range, position, align, value, width, repeat } of list) {
              const { start, length } = ranges[range] ?? { start: 0, length: 64 };
              const at = start + Math.floor((position * length) / align) * align;
              const word = Buffer.alloc(8);
              word.writeBigUInt64LE(value);
              for (let i = 0; i < repeat && at + (i + 1) * width <= bytes.length; i++) {
                word.copy(bytes, at + i * width, 0, width);
              }
            }
            writeFileSync(copy, bytes.subarray(0, cut ?? bytes.length));
            const took = processorTime(() => {
              try {
                const binary = openGoBinary(copy);
                opened++;
                useAll(binary);
              } catch (error) {
                assert.ok(error instanceof BinaryError, String((error as Error).stack));
                assert.match(error.message, /^[^\n]+\.$/);
              }
            });
            assert.ok(took < 2000, `${took} ms`);
          },
        ),
        { numRuns: runs },
      );
      assert.ok(opened > runs / 20, `only ${opened} damaged files could be opened at all`);
    });
  }
});
