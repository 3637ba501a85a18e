import assert from 'node:assert/strict';
import { compareBytesWithDwarf, describeFinding } from '../../src/gobinary/dwarf/check.ts';
import { fileInMemory } from '../../src/gobinary/file/file.ts';
import {
  BinaryError,
  dynamicTypes,
  type Equality,
  type GoBinary,
  type MapType,
  typeEquality,
  typeName,
} from '../../src/gobinary/index.ts';
import { readGoBinary } from '../../src/gobinary/open.ts';

/** Of functions and types beyond these, a share is looked at. */
const allOf = 128;
const share = 64;

/**
 * Reads everything there is to read from a file through the interface of src/gobinary, and checks that the answers make sense.
 * Nothing may be thrown but BinaryError, by the methods that say so, with a message for people. Returns what
 * happened, in words that differ between ways through the code and not between numbers.
 */
export function exercise(bytes: Uint8Array): string[] {
  const seen = new Set<string>();
  const attempt = <T>(what: string, use: () => T): T | undefined => {
    try {
      return use();
    } catch (error) {
      if (!(error instanceof BinaryError)) {
        throw error;
      }
      assert.match(error.message, /^[^\n]{1,400}\.$/);
      seen.add(`${what}: ${error.reason}: ${error.message.replaceAll(/0x[0-9a-f]+|\d+/g, '#')}`);
      return undefined;
    }
  };
  const file = fileInMemory('input', bytes);
  const binary = attempt('open', () => readGoBinary(file, { allowUnknown: bytes.length % 2 === 0 }));
  if (binary === undefined) {
    return [...seen];
  }
  const { version, mapImplementation, pie, stripped } = binary;
  seen.add(`${version.minor} ${version.source} ${mapImplementation} ${pie} ${stripped}`);
  seen.add(`${version.known} ${binary.buildId !== undefined} ${binary.modulePath !== undefined}`);
  attempt('functions', () => {
    const count = useFunctions(binary, attempt);
    seen.add(`functions ${magnitude(count)}`);
  });
  for (const feature of useTypes(binary, bytes)) {
    seen.add(feature);
  }
  const check = compareBytesWithDwarf(file, binary);
  seen.add(
    `${check.state} ${check.state === 'not checked' ? check.reason.replaceAll(/0x[0-9a-f]+|\d+/g, '#') : ''}`,
  );
  if (check.state === 'checked') {
    seen.add(`${check.structures.length} structures, ${magnitude(check.findings.length)} findings`);
    for (const finding of check.findings) {
      assert.match(describeFinding(finding), /^[^\n]+$/);
    }
  }
  return [...seen];
}

function magnitude(count: number): number {
  return Math.ceil(Math.log2(count + 1));
}

function useFunctions(binary: GoBinary, attempt: <T>(what: string, use: () => T) => T | undefined): number {
  let count = 0;
  let lastEntry = 0;
  for (const fn of binary.functions()) {
    assert.ok(fn.index === count && fn.entry >= lastEntry && fn.end >= fn.entry);
    lastEntry = fn.entry;
    if (++count > allOf && count % share !== 0) {
      continue;
    }
    attempt('code', () => assert.equal(binary.code(fn).length, fn.end - fn.entry));
    for (const pc of [fn.entry, Math.floor((fn.entry + fn.end) / 2), fn.end - 1]) {
      attempt('frames', () => {
        const frames = binary.frames(pc);
        if (fn.end > fn.entry) {
          assert.ok(frames.length > 0 && frames.length <= 65);
        }
        frames.forEach(({ inlined, line }, i) => {
          assert.equal(inlined, i < frames.length - 1);
          assert.ok(Number.isInteger(line));
        });
      });
      attempt('spDelta', () => {
        const delta = binary.spDelta(pc);
        assert.ok(delta === undefined || Number.isInteger(delta));
      });
    }
    attempt('functionAt', () => binary.functionAt(fn.entry));
    assert.ok((binary.fileOffset(fn.entry) ?? 0) >= 0);
    if (count % share === 1) {
      attempt('functionsNamed', () => binary.functionsNamed(fn.name));
      binary.symbol(fn.name);
    }
  }
  attempt('functionsNamed', () => binary.functionsNamed('runtime.schedinit'));
  for (const pc of [0, -1, binary.types.start, 2 ** 47, Number.NaN]) {
    attempt('frames', () => binary.frames(pc));
  }
  return count;
}

function useTypes(binary: GoBinary, bytes: Uint8Array): string[] {
  const seen: string[] = [];
  const maps = binary.mapTypes();
  for (const map of maps) {
    checkMap(map);
    assert.deepEqual(binary.mapTypeAt(map.address), map);
    seen.push(`map ${describeEquality(map.keyEquality)} ${map.indirectKey} ${map.indirectElem}`);
    checkEquality(typeEquality(binary, map.elemType));
  }
  let types = 0;
  for (const type of dynamicTypes(binary)) {
    if (++types > allOf && types % share !== 0) {
      continue;
    }
    assert.ok(type.size >= 0 && type.name.length > 0);
    checkEquality(type.equality);
    if (!type.equality.known) {
      seen.push(`type ${describeEquality(type.equality)}`);
    }
    if (types % 4 === 0) {
      assert.equal(typeName(binary, type.address), type.name);
    }
  }
  seen.push(`maps ${magnitude(maps.length)} types ${magnitude(types)}`);
  for (const address of [0, 4, binary.types.start, binary.types.end - 8, 2 ** 46, 2 ** 60, Number.NaN]) {
    checkEquality(typeEquality(binary, address));
    typeName(binary, address);
  }
  useRuntimeTypes(binary, bytes, maps[0]?.address ?? binary.types.start);
  return seen;
}

/** Types that the process made at run time: what is read from it is anything, or nothing. */
function useRuntimeTypes(binary: GoBinary, bytes: Uint8Array, model: number): void {
  const bias = 0x5555_0000_0000;
  const heap = 0x7000_0000_0000;
  const copies = (address: number, length: number): Uint8Array => {
    const at = address - heap;
    if (at >= 0 && at < 0x1000) {
      return binary.image.read(model + at, length);
    }
    throw new Error('unmapped');
  };
  const anything = (address: number, length: number): Uint8Array => {
    const start = address % Math.max(1, bytes.length - length);
    return bytes.subarray(start, start + length);
  };
  for (const read of [copies, anything]) {
    for (const address of [heap, heap + 8, heap + 64 * 1024, model + bias]) {
      const map = binary.mapTypeAt(address, read, bias);
      if (map !== undefined) {
        checkMap(map);
      }
    }
  }
}

function checkMap(map: MapType): void {
  const { keysOffset, keyStride, elemsOffset, elemStride, groupSize, keySize, indirectKey } = map;
  assert.ok(keysOffset + 7 * keyStride + (indirectKey ? 8 : keySize) <= groupSize);
  assert.ok(elemsOffset + 7 * elemStride <= groupSize);
  assert.ok(Number.isSafeInteger(map.hasher) && map.name.length <= 0x10_0000);
  checkEquality(map.keyEquality);
}

function checkEquality(equality: Equality): void {
  if (!equality.known) {
    assert.ok(equality.reason.length > 0);
    return;
  }
  assert.ok(equality.steps.length <= 64);
  for (const { offset, size } of equality.steps) {
    assert.ok(offset >= 0 && size > 0);
  }
}

function describeEquality(equality: Equality): string {
  return equality.known
    ? [...new Set(equality.steps.map(({ kind }) => kind))].join(' ')
    : equality.reason.replaceAll(/0x[0-9a-f]+|\d+/g, '#');
}
