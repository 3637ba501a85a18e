import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { DebugInfo } from '../../src/gobinary/dwarf/info.ts';
import { readDebugSection } from '../../src/gobinary/dwarf/sections.ts';
import { readElf } from '../../src/gobinary/file/elf.ts';
import { withFile } from '../../src/gobinary/file/file.ts';
import { GO_LAYOUTS } from '../../src/gobinary/go/layouts.ts';
import { goroutineStructures, runtimeStructures } from '../../src/gobinary/go/runtime-structures.ts';
import {
  checkAgainstDwarf,
  compareWithDwarf,
  describeFinding,
  openGoBinary,
} from '../../src/gobinary/index.ts';
import { altered } from './altered.ts';
import { build, toolchains } from './build.ts';
import { buildVariant, variants } from './facts.ts';
import { removeTemporaryFiles, section, temporaryFile } from './files.ts';
import { processorTime } from './measure.ts';

describe('tables against debug information', () => {
  let structs = '';
  before(() => {
    structs = build({ program: 'structs', toolchain: 'local' });
  });
  after(removeTemporaryFiles);

  for (const variant of variants) {
    test(variant.name, () => {
      const path = buildVariant(variant);
      const binary = openGoBinary(path);
      const layout = GO_LAYOUTS.get(variant.minor);
      assert.ok(layout);
      const maps = runtimeStructures(layout, binary.mapImplementation);
      const expected = [...maps, ...goroutineStructures(variant.minor)];
      if (variant.stripped) {
        assert.deepEqual(compareWithDwarf(binary), { state: 'none' });
        assert.equal(checkAgainstDwarf(binary), undefined);
        return;
      }
      const structures = expected.map(({ name }) => name);
      assert.deepEqual(compareWithDwarf(binary), { state: 'checked', structures, findings: [] });
      assert.deepEqual(checkAgainstDwarf(binary), []);
      const took = processorTime(() => checkAgainstDwarf(binary));
      assert.ok(took < 200, `${took} ms`);

      // Every member of the structures, as Go's own package debug/dwarf reads it.
      const truth: Record<string, { size: number; fields: Record<string, number> }> = JSON.parse(
        execFileSync(structs, [path, ...structures], { encoding: 'utf8' }),
      );
      const dwarf = debugInfo(path);
      for (const name of structures) {
        const { size, members } = dwarf.structure(name) ?? {};
        assert.equal(size, truth[name]?.size, name);
        assert.deepEqual(Object.fromEntries(members ?? []), truth[name]?.fields, name);
      }
    });
  }
});

function debugInfo(path: string): DebugInfo {
  return withFile(path, (file) => {
    const elf = readElf(file);
    const read = (name: string): Uint8Array =>
      readDebugSection(file, elf, name, 2 ** 25)?.bytes ?? new Uint8Array();
    return new DebugInfo(read('info'), read('abbrev'));
  });
}

describe('a runtime that differs from the tables', () => {
  after(removeTemporaryFiles);

  for (const [minor, structure, field, offset] of [
    [17, 'runtime.hmap', 'buckets', 16],
    [23, 'runtime.hmap', 'oldbuckets', 24],
    [24, 'internal/runtime/maps.table', 'groups', 16],
    [26, 'internal/runtime/maps.Map', 'globalShift', 33],
    [27, 'internal/abi.MapType', 'KeysOff', 88],
  ] as const) {
    test(`Go 1.${minor}: ${structure}.${field}`, () => {
      const moved = altered(minor, structure, (file, start) => {
        const at = file.indexOf(`${field}\0`, start) + field.length + 1;
        assert.equal(file[at], offset);
        file[at] = offset + 8;
      });
      const findings = checkAgainstDwarf(openGoBinary(moved)) ?? [];
      assert.deepEqual(findings, [{ structure, field, table: offset, dwarf: offset + 8 }]);
      assert.deepEqual(findings.map(describeFinding), [
        `${structure}.${field} is at offset ${offset + 8} by its debug information, but at ${offset} by mapscope's table`,
      ]);

      const renamed = altered(minor, structure, (file, start) => {
        file.write('X', file.indexOf(`${field}\0`, start));
      });
      assert.deepEqual(checkAgainstDwarf(openGoBinary(renamed))?.map(describeFinding), [
        `${structure} has no field ${field} by its debug information, but one at offset ${offset} by mapscope's table`,
      ]);
    });
  }

  test('a structure that is missing is not compared', () => {
    const renamed = altered(26, 'internal/runtime/maps.table', (file, start) => file.write('X', start));
    const check = compareWithDwarf(openGoBinary(renamed));
    assert.equal(check.state, 'checked');
    assert.deepEqual(checkAgainstDwarf(openGoBinary(renamed)), []);
  });
});

describe('debug information that cannot be read is left alone', () => {
  after(removeTemporaryFiles);

  const cases: [string, number, (file: Buffer) => void, RegExp][] = [
    [
      'damaged data',
      26,
      (file) => file.fill(0xff, at(file, 'info') + 24, at(file, 'info') + 99),
      /uncompress/,
    ],
    [
      'another compression',
      26,
      (file) => file.writeUInt32LE(2, at(file, 'info')),
      /not compressed with zlib/,
    ],
    [
      'an impossible size',
      26,
      (file) => file.writeBigUInt64LE(2n ** 60n, at(file, 'info') + 8),
      /first 8 MiB/,
    ],
    ['no size', 26, (file) => file.writeBigUInt64LE(0n, at(file, 'info') + 8), /uncompress/],
    ['a section outside the file', 26, (file) => move(file, 'info', 2n ** 40n), /truncated/],
    ['abbreviations outside the file', 26, (file) => move(file, 'abbrev', 2n ** 40n), /truncated/],
    ['the old form, damaged', 17, (file) => file.fill(0xff, at(file, 'info', 'z') + 12), /uncompress/],
  ];
  for (const [name, minor, edit, reason] of cases) {
    test(name, () => {
      const path = build({ program: 'facts', toolchain: toolchains.get(minor) ?? '' });
      const binary = openGoBinary(temporaryFile(path, edit));
      const check = compareWithDwarf(binary);
      assert.equal(check.state, 'not checked');
      assert.match(check.state === 'not checked' ? check.reason : '', reason);
      assert.equal(checkAgainstDwarf(binary), undefined);
    });
  }

  test('only the start of a long section is uncompressed', () => {
    const path = build({ program: 'facts', toolchain: 'local' });
    withFile(path, (file) => {
      const elf = readElf(file);
      const part = readDebugSection(file, elf, 'info', 0x1_0000);
      const all = readDebugSection(file, elf, 'info', 2 ** 25);
      assert.ok(part && all?.whole && !part.whole);
      assert.ok(part.bytes.length > 0x4000 && part.bytes.length <= 0x2_0000);
      assert.ok(Buffer.from(part.bytes).equals(all.bytes.subarray(0, part.bytes.length)));
    });
  });

  test('data that grows without end', () => {
    const path = temporaryFile(build({ program: 'facts', toolchain: 'local' }), (file) => {
      const bomb = deflateSync(Buffer.alloc(2 ** 28));
      bomb.copy(file, at(file, 'info') + 24);
    });
    const binary = openGoBinary(path);
    const before = process.memoryUsage().arrayBuffers;
    assert.equal(compareWithDwarf(binary).state, 'not checked');
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 27);
  });
});

function at(file: Buffer, name: string, prefix = ''): number {
  return section(file, `.${prefix}debug_${name}`).offset;
}

function move(file: Buffer, name: string, offset: bigint): void {
  file.writeBigUInt64LE(offset, section(file, `.debug_${name}`).header + 24);
}
