import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BinaryError } from '../../src/gobinary/error.ts';
import { occurrences, Reader } from '../../src/gobinary/file/reader.ts';
import { pcValue, pcValueEnd } from '../../src/gobinary/functions/pc-values.ts';
import { parseGoVersion } from '../../src/gobinary/go/version.ts';

function uvarint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...uvarint(value >>> 7)];
}

/** Encodes runs of (value, bytes of code) as Go's linker does. */
function encode(runs: readonly { value: number; width: number }[]): Uint8Array {
  const bytes = [0xee]; // offset 0 means "no table"
  let last = -1;
  for (const { value, width } of runs) {
    const change = value - last;
    bytes.push(...uvarint(change < 0 ? ((-change << 1) - 1) >>> 0 : change << 1), ...uvarint(width));
    last = value;
  }
  return Uint8Array.from([...bytes, 0]);
}

describe('pc-value tables', () => {
  const run = fc.record({
    value: fc.integer({ min: -1, max: 1 << 24 }),
    width: fc.integer({ min: 1, max: 70_000 }),
  });
  /** Neighbours differ, or the linker would have made them one run. */
  const runs = fc
    .array(run, { minLength: 1, maxLength: 40 })
    .map((list) => list.filter((item, i) => i === 0 || item.value !== list[i - 1]?.value))
    .filter((list) => list.every((item, i) => i === 0 || item.value !== list[i - 1]?.value));

  test('every address has the value of its run', () => {
    fc.assert(
      fc.property(runs, fc.nat(), (list, seed) => {
        const table = new Reader(encode(list), 'A table');
        const entry = 0x401000 + (seed % 4096);
        let pc = entry;
        for (const { value, width } of list) {
          assert.equal(pcValue(table, 1, entry, pc), value);
          assert.equal(pcValue(table, 1, entry, pc + width - 1), value);
          pc += width;
        }
        assert.equal(pcValue(table, 1, entry, pc), undefined);
        assert.equal(pcValueEnd(table, 1, entry, pc + 100), pc);
        assert.equal(pcValueEnd(table, 1, entry, pc - 1), pc - 1);
      }),
    );
  });

  test('no table says nothing', () => {
    assert.equal(pcValue(new Reader(Uint8Array.of(2, 2, 0), 'A table'), 0, 10, 10), undefined);
    assert.equal(pcValueEnd(new Reader(Uint8Array.of(2, 2, 0), 'A table'), 0, 10, 20), 20);
  });

  test('any bytes give an answer in bounded time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), fc.nat(1000), (bytes, offset, distance) => {
        const table = new Reader(bytes, 'A table');
        const value = pcValue(table, offset, 1000, 1000 + distance);
        assert.ok(value === undefined || Number.isInteger(value));
        const end = pcValueEnd(table, offset, 1000, 1000 + distance);
        assert.ok(end >= 1000 && end <= 1000 + distance);
      }),
    );
  });
});

describe('Reader', () => {
  test('reads what is there and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.double(), (bytes, anyOffset) => {
        const buffer = Buffer.from(bytes);
        const reader = new Reader(bytes, 'A test');
        for (const offset of [anyOffset, bytes.length - 8, bytes.length - 4, 0, 1, -1, 2 ** 53]) {
          const inside = (width: number): boolean =>
            Number.isInteger(offset) && offset >= 0 && offset + width <= bytes.length;
          const same = (width: number, read: () => unknown, expected: () => unknown): void => {
            if (inside(width)) {
              assert.deepEqual(read(), expected());
            } else {
              assert.throws(read, BinaryError);
            }
          };
          same(
            1,
            () => reader.u8(offset),
            () => buffer.readUInt8(offset),
          );
          same(
            2,
            () => reader.u16(offset),
            () => buffer.readUInt16LE(offset),
          );
          same(
            4,
            () => reader.u32(offset),
            () => buffer.readUInt32LE(offset),
          );
          same(
            4,
            () => reader.i32(offset),
            () => buffer.readInt32LE(offset),
          );
          same(
            8,
            () => reader.u64(offset),
            () => Number(buffer.readBigUInt64LE(offset)),
          );
          same(
            5,
            () => reader.slice(offset, 5),
            () => new Uint8Array(buffer.subarray(offset, offset + 5)),
          );
        }
      }),
    );
  });

  test('uvarint', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fff_ffff }), (value) => {
        const bytes = Uint8Array.from([9, ...uvarint(value), 7]);
        assert.deepEqual(new Reader(bytes, 'A test').uvarint(1), { value, next: bytes.length - 1 });
      }),
    );
    assert.throws(() => new Reader(new Uint8Array(9).fill(0xff), 'A test').uvarint(0), /overlong/);
    assert.throws(() => new Reader(Uint8Array.of(0x80), 'A test').uvarint(0), /has 1 bytes/);
  });

  test('C strings', () => {
    const reader = new Reader(Buffer.from('one\0zwölf\0no end'), 'The names');
    assert.equal(reader.cstring(0, 3), 'one');
    assert.equal(reader.cstring(4, 100), 'zwölf');
    assert.equal(reader.cstring(3, 0), '');
    assert.throws(() => reader.cstring(0, 2), {
      name: 'BinaryError',
      message: /does not end within 2 bytes/,
    });
    assert.throws(() => reader.cstring(11, 100), BinaryError);
    assert.throws(() => reader.cstring(-1, 100), BinaryError);
  });

  test('occurrences', () => {
    const bytes = Buffer.from('abababa');
    assert.deepEqual([...occurrences(bytes, Buffer.from('aba'))], [0, 2, 4]);
    assert.deepEqual([...occurrences(bytes, Buffer.from('aba'), 2)], [0, 2]);
    assert.deepEqual([...occurrences(bytes, Buffer.from('x'))], []);
  });
});

describe('Go versions', () => {
  const cases: [string, number | undefined, number | undefined][] = [
    ['go1.17', 17, 0],
    ['go1.20', 20, 0],
    ['go1.21.0', 21, 0],
    ['go1.26.4', 26, 4],
    ['go1.24.1 X:noswissmap', 24, 1],
    ['go1.27.4-X:mapsplitgroup', 27, 4],
    ['go1.21.5 (Red Hat 1.21.5-1.el9)', 21, 5],
    ['go1.21rc2', 21, undefined],
    ['go1.18beta1', 18, undefined],
    ['go1.27-devel_0123456789', 27, undefined],
    ['devel go1.27-0123456 Fri Jun 19 00:00:00 2026', 27, undefined],
    ['devel +0123456 Fri Jun 19 00:00:00 2020', undefined, undefined],
    ['go2.0', undefined, undefined],
    ['gopher', undefined, undefined],
    ['', undefined, undefined],
  ];
  for (const [text, minor, patch] of cases) {
    test(text || '(empty)', () => {
      assert.deepEqual(parseGoVersion(text), minor === undefined ? undefined : { minor, patch });
    });
  }
});
