// Files made to waste time: nothing in them is out of bounds, there is only far too much of it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DebugInfo } from '../../src/gobinary/dwarf/info.ts';
import { BinaryError, type BinaryErrorReason } from '../../src/gobinary/error.ts';
import { readElf } from '../../src/gobinary/file/elf.ts';
import { fileInMemory } from '../../src/gobinary/file/file.ts';
import { Image } from '../../src/gobinary/file/image.ts';
import { Reader } from '../../src/gobinary/file/reader.ts';
import { SymbolTable } from '../../src/gobinary/file/symbols.ts';
import { framesAt } from '../../src/gobinary/functions/frames.ts';
import { FunctionTable } from '../../src/gobinary/functions/pclntab.ts';
import { PCLNTAB_LAYOUTS, TYPE_LAYOUT } from '../../src/gobinary/go/layouts.ts';
import type { ModuleStart } from '../../src/gobinary/go/module-data.ts';
import { dynamicTypes, type GoBinary, typeEquality } from '../../src/gobinary/index.ts';
import { readGoBinary } from '../../src/gobinary/open.ts';
import { findMapTypes } from '../../src/gobinary/types/map-types.ts';
import { KIND } from '../../src/gobinary/types/type-table.ts';
import { elf, type Header } from './elffile.ts';
import { processorTime } from './measure.ts';

/** Milliseconds of processor time. The longest of these takes 0.7 to 1.2 s, as fast as the machine is; unbounded it would be minutes. */
const limit = 2500;

function inTime(work: () => void): void {
  const took = processorTime(work);
  assert.ok(took < limit, `${took} ms`);
}

function rejects(file: Buffer, reason: BinaryErrorReason, message: RegExp): void {
  inTime(() => {
    assert.throws(() => readGoBinary(fileInMemory('file', file)), { name: 'BinaryError', reason, message });
  });
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => {
    bytes.writeBigUInt64LE(BigInt(value), 8 * i);
  });
  return bytes;
}

describe('searches', () => {
  const size = 0x200_0000;
  const code = { flags: 5, memorySize: 0x1000 };
  const filled = (word: readonly number[]): Buffer =>
    elf(
      [code, { offset: 0x4000, address: 0x10000, fileSize: size }],
      Buffer.alloc(size, Buffer.from(word)),
      0x4000,
    );
  /** As many segments as there may be, each a part of the same content. */
  const many = (content: Buffer): Buffer => {
    const part = Math.floor(content.length / 255 / 4096) * 4096;
    const segments = Array.from({ length: 255 }, (_, i): Header => {
      return { offset: 0x4000 + i * part, address: 0x1_0000 + i * part, fileSize: part };
    });
    return elf([code, ...segments], content, 0x4000);
  };
  const header = (magic: number): Buffer => Buffer.from([magic, 0xff, 0xff, 0xff, 0, 0, 1, 8]);

  test('nothing but function table headers', () => {
    for (const magic of [0xfa, 0xf0, 0xf1, 0xfb]) {
      const reason = magic === 0xfb ? 'go-version' : 'not-go';
      rejects(filled([...header(magic)]), reason, /Go/);
      rejects(many(Buffer.alloc(size, header(magic))), reason, /Go/);
    }
  });

  test('a header and nothing but pointers to it', () => {
    const file = filled([0, 0, 1, 0, 0, 0, 0, 0]);
    file.set(header(0xf1), 0x4000);
    rejects(file, 'not-go', /no Go function table/);
    const content = Buffer.alloc(size, words(0x1_0000));
    for (let i = 0; i < 16; i++) {
      content.set(header(0xf1), i * 8);
    }
    rejects(many(content), 'not-go', /no Go function table/);
  });

  test('nothing but the name of a symbol', () => {
    const symbols = new SymbolTable(
      () => Buffer.alloc(24 * 100_000, 1),
      () => Buffer.alloc(size, 'main\0'),
    );
    inTime(() => assert.equal(symbols.find('main'), undefined));
  });
});

describe('types', () => {
  const start = 0x1_0000;

  /** A program of which nothing matters but its type table. */
  function withTypes(bytes: Buffer): GoBinary {
    const headers = [
      { flags: 5, memorySize: 0x1000 },
      { offset: 0x1000, address: start, fileSize: bytes.length },
    ];
    const file = fileInMemory('file', elf(headers, bytes));
    const types = { start, end: start + bytes.length };
    const version = { text: 'go1.26.4', minor: 26 };
    const image = Image.load(file, readElf(file));
    return { version, mapImplementation: 'swiss', image, types } as unknown as GoBinary;
  }

  /** A comparable type; `rest` are the words from offset 48 on. The function value for equality leads to code. */
  function type(kindOfType: number, size: number, name: number, ...rest: readonly number[]): Buffer {
    const bytes = Buffer.concat([
      words(size, 0, 0, start, 0, name, ...rest),
      Buffer.alloc(136 - 48 - 8 * rest.length),
    ]);
    bytes.writeUInt8(8, TYPE_LAYOUT.align);
    bytes.writeUInt8(8, TYPE_LAYOUT.fieldAlign);
    bytes.writeUInt8(kindOfType, TYPE_LAYOUT.kind);
    return bytes;
  }

  /** At the start: a function value, fields of a struct that are all of the struct's own type, and a long name. */
  function table(count: number, make: (address: number, fields: number, name: number) => Buffer): GoBinary {
    const nameAt = 8;
    const name = Buffer.concat([Buffer.from([0, 0x80, 0x7d]), Buffer.alloc(16_000, 'n')]);
    const fieldsAt = Math.ceil((nameAt + name.length) / 8) * 8;
    const first = fieldsAt + 24 * 4096;
    const types = Array.from({ length: count }, (_, i) =>
      make(start + first + 136 * i, start + fieldsAt, nameAt),
    );
    const fields = Buffer.alloc(24 * 4096, words(start + nameAt, start + first, 0));
    const head = Buffer.concat([words(0x100), name], fieldsAt);
    return withTypes(Buffer.concat([head, fields, ...types]));
  }

  const hostile = {
    'structs of themselves': (_: number, fields: number) => type(KIND.struct, 8, 0, 0, fields, 4096, 4096),
    'arrays of themselves': (address: number) => type(KIND.array, 8, 0, address, 0, 2 ** 40),
    'long names': (_: number, __: number, name: number) => type(6, 8, name),
    'structs of many fields': (_: number, fields: number) =>
      type(KIND.struct, 8, 8, 0, fields, 2 ** 40, 2 ** 40),
  };
  for (const [what, make] of Object.entries(hostile)) {
    test(what, () => {
      const binary = table(20_000, make);
      inTime(() => [...dynamicTypes(binary)]);
      inTime(() => findMapTypes(binary));
      inTime(() => typeEquality(binary, binary.types.end - 136));
    });
  }
});

describe('debug information', () => {
  test('nothing but names of structures', () => {
    const info = Buffer.alloc(0x80_0000, '\x01runtime.hmap\0');
    info.set([...words(0x7f_fff0).subarray(0, 4), 4, 0, 0, 0, 0, 0, 8]);
    const abbreviation = [1, 0x13, 1, 3, 8, ...Array.from({ length: 400 }, () => [1, 8]).flat(), 0, 0];
    const abbrev = Buffer.alloc(0x10_0000, Buffer.from(abbreviation));
    inTime(() => assert.equal(new DebugInfo(info, abbrev).structure('runtime.hmap'), undefined));
    abbrev.set([...abbreviation, 0]);
    inTime(() => assert.equal(new DebugInfo(info, abbrev).structure('runtime.hmap'), undefined));
  });

  test('nothing but units, each with other abbreviations', () => {
    const unit = Buffer.concat([Buffer.alloc(11), Buffer.from('\x01runtime.hmap\0')]);
    const units = Array.from({ length: 100_000 }, (_, i) => {
      const copy = Buffer.from(unit);
      copy.writeUInt32LE(unit.length - 4, 0);
      copy.writeUInt16LE(4, 4);
      copy.writeUInt32LE(i, 6);
      copy[10] = 8;
      return copy;
    });
    const dwarf = new DebugInfo(Buffer.concat(units), Buffer.alloc(0x10_0000, Buffer.from([1, 1, 1])));
    inTime(() => assert.equal(dwarf.structure('runtime.hmap'), undefined));
  });
});

describe('functions', () => {
  const layout = PCLNTAB_LAYOUTS.get(0xfffffff1);
  assert.ok(layout);

  /** A function table of `count` functions that all have the same record. */
  function table(count: number, width: number, record: Buffer, rest: Partial<ModuleStart>): FunctionTable {
    const functab = Buffer.alloc(8 * (count + 1));
    for (let i = 0; i <= count; i++) {
      functab.writeUInt32LE(i * width, 8 * i);
    }
    const text = 0x40_0000;
    assert.ok(layout);
    const module: ModuleStart = {
      ...{ address: 0, pclntabAddress: 0, magic: 0xfffffff1, layout, functionCount: count },
      functab: reader(functab),
      ...{ funcnametab: reader(Buffer.from('f\0')), cutab: reader(Buffer.alloc(4)) },
      ...{
        filetab: reader(Buffer.from('a\0')),
        pctab: reader(Buffer.alloc(1)),
        pclntable: reader(record),
        pclntableAddress: 0,
        text,
        etext: text + count * width,
      },
      ...rest,
    };
    return new FunctionTable(module, 'file');
  }

  const reader = (bytes: Uint8Array): Reader => new Reader(bytes, 'A table');

  const record = (fields: Record<number, number>): Buffer => {
    const bytes = Buffer.alloc(80);
    for (const [offset, value] of Object.entries(fields)) {
      bytes.writeUInt32LE(value, Number(offset));
    }
    return bytes;
  };

  test('all with the same long name', () => {
    const names = Buffer.alloc(16_001, 'n').fill(0, 16_000);
    const functions = table(200_000, 1, record({}), { funcnametab: reader(names) });
    inTime(() => assert.throws(() => [...functions.all()], { message: /share too many long names/ }));
    inTime(() => assert.equal(functions.named('n'.repeat(100)).length, 0));
  });

  test('a table of names that is nothing but the same name', () => {
    const functions = table(100_000, 1, record({}), {
      funcnametab: reader(Buffer.alloc(0x100_0000, 'f\0')),
    });
    inTime(() => assert.equal(functions.named('f').length, 100_000));
  });

  test('one with the longest tables, inlined as deeply as can be', () => {
    const { func, inlineNode } = layout;
    // Each step is one byte of code, and adds nothing but 2 and -2 in turn to the value.
    const pctab = Buffer.concat([Buffer.from([0]), Buffer.alloc(0x40_0000, Buffer.from([4, 1, 3, 1]))]);
    const fields = { [func.pcsp]: 1, [func.pcfile]: 1, [func.pcln]: 1, [func.npcdata]: 3 };
    const bytes = record({ ...fields, [func.size + 8]: 1, [func.nfuncdata - 3]: 0x0400_0000 });
    const width = 0x10_0000 - 4;
    const functions = table(1, width, bytes, { pctab: reader(pctab), cutab: reader(Buffer.alloc(64)) });
    // The inline tree is zeros but for the place of the call, which is as far on as possible.
    const tree = Buffer.alloc(0x1000);
    for (let i = 0; i < 16; i++) {
      tree.writeUInt32LE(width - 2, i * inlineNode.size + inlineNode.parentPc);
    }
    const file = fileInMemory('file', elf([{ address: 0x1000, offset: 0x1000, fileSize: 0x1000 }], tree));
    const image = Image.load(file, readElf(file));
    inTime(() => {
      try {
        framesAt(image, functions, layout, 0x1000, 0, 0x40_0000 + width - 2);
      } catch (error) {
        assert.ok(error instanceof BinaryError);
      }
    });
    inTime(() => functions.spDelta(0, 0x40_0000 + width - 1));
  });
});
