import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import {
  GO_LAYOUTS,
  KIND_LAYOUT,
  MODULEDATA_PREFIX,
  PCLNTAB_LAYOUTS,
  TYPE_LAYOUT,
} from '../../src/gobinary/go/layouts.ts';
import {
  CLASSIC_MAP_FIELDS,
  type MapTypeLayout,
  STRIDED_MAP_FIELDS,
  SWISS_MAP_FIELDS,
} from '../../src/gobinary/go/map-layouts.ts';
import { build, toolchains } from './build.ts';

/** A struct type as DWARF describes it. */
interface Struct {
  size: number;
  fields: Record<string, number>;
}

const wanted = [
  ...['runtime.moduledata', 'runtime._func', 'runtime.pcHeader', 'runtime.inlinedCall', 'runtime.functab'],
  ...['runtime._type', 'runtime.maptype', 'runtime.arraytype', 'runtime.structtype', 'runtime.structfield'],
  ...['runtime.interfacetype', 'internal/abi.Type', 'internal/abi.MapType', 'internal/abi.SwissMapType'],
  ...[
    'internal/abi.OldMapType',
    'internal/abi.ArrayType',
    'internal/abi.StructType',
    'internal/abi.StructField',
  ],
  'internal/abi.InterfaceType',
];

/** Field names changed their spelling over the versions: size_, Size_; nameoff, nameOff; bucket, Group. */
function offsets(struct: Struct | undefined): (name: string) => number | undefined {
  const byName = new Map(
    Object.entries(struct?.fields ?? {}).map(([name, offset]) => [
      name.toLowerCase().replaceAll('_', ''),
      offset,
    ]),
  );
  return (name) => byName.get(name);
}

describe('layouts agree with the DWARF of a program built with each version', () => {
  let dwarf = '';
  before(() => {
    dwarf = build({ program: 'structs', toolchain: 'local' });
  });

  for (const [minor, toolchain] of toolchains) {
    test(`Go 1.${minor}`, () => {
      const program = build({ program: 'facts', toolchain });
      const structs: Record<string, Struct> = JSON.parse(
        execFileSync(dwarf, [program, ...wanted], { encoding: 'utf8' }),
      );
      checkTables(minor, structs);
      checkTypes(minor, structs);
    });
  }

  for (const minor of [24, 25]) {
    test(`Go 1.${minor} with classic maps`, () => {
      const toolchain = toolchains.get(minor) ?? '';
      const program = build({ program: 'facts', toolchain, env: { GOEXPERIMENT: 'noswissmap' } });
      const structs = JSON.parse(execFileSync(dwarf, [program, ...wanted], { encoding: 'utf8' }));
      checkMap(GO_LAYOUTS.get(minor)?.classicMap, structs['internal/abi.OldMapType']);
    });
  }
});

function checkTables(minor: number, structs: Record<string, Struct>): void {
  const layout = GO_LAYOUTS.get(minor);
  const tables = PCLNTAB_LAYOUTS.get(layout?.pclntabMagic ?? 0);
  assert.ok(layout && tables);

  const module = offsets(structs['runtime.moduledata']);
  for (const [field, offset] of Object.entries({ ...MODULEDATA_PREFIX, ...layout.moduledata })) {
    if (field !== 'size') {
      assert.equal(module(field.toLowerCase()), offset, `moduledata.${field}`);
    }
  }
  assert.equal(structs['runtime.moduledata']?.size, layout.moduledata.size);

  const header = offsets(structs['runtime.pcHeader']);
  const first = tables.tableOffsets;
  const headerFields = ['funcnameoffset', 'cuoffset', 'filetaboffset', 'pctaboffset', 'pclnoffset'];
  headerFields.forEach((field, i) => {
    assert.equal(header(field), first + 8 * i, `pcHeader.${field}`);
  });
  assert.equal(structs['runtime.functab']?.size, 2 * tables.functabField);

  const func = offsets(structs['runtime._func']);
  const { name, pcsp, pcfile, pcln, npcdata, cuOffset, nfuncdata, size } = tables.func;
  assert.deepEqual(
    ['nameoff', 'pcsp', 'pcfile', 'pcln', 'npcdata', 'cuoffset', 'nfuncdata'].map(func),
    [name, pcsp, pcfile, pcln, npcdata, cuOffset, nfuncdata],
    '_func',
  );
  assert.equal(nfuncdata + 1, size);

  const node = offsets(structs['runtime.inlinedCall']);
  assert.equal(structs['runtime.inlinedCall']?.size, tables.inlineNode.size);
  assert.equal(node(minor < 20 ? 'func' : 'nameoff'), tables.inlineNode.name);
  assert.equal(node('parentpc'), tables.inlineNode.parentPc);
}

function checkTypes(minor: number, structs: Record<string, Struct>): void {
  const old = minor < 21;
  const named = (before21: string, since21: string): Struct | undefined =>
    structs[old ? `runtime.${before21}` : `internal/abi.${since21}`];

  const type = named('_type', 'Type');
  assert.equal(type?.size, TYPE_LAYOUT.size);
  const typeField = offsets(type);
  const { size_, ptrBytes, hash, tflag, align, fieldAlign, kind, equal, gcData, str } = TYPE_LAYOUT;
  assert.deepEqual(
    [
      'size',
      old ? 'ptrdata' : 'ptrbytes',
      'hash',
      'tflag',
      'align',
      'fieldalign',
      'kind',
      'equal',
      'gcdata',
      'str',
    ].map(typeField),
    [size_, ptrBytes, hash, tflag, align, fieldAlign, kind, equal, gcData, str],
  );

  const array = offsets(named('arraytype', 'ArrayType'));
  assert.deepEqual([array('elem'), array('len')], [KIND_LAYOUT.array.elem, KIND_LAYOUT.array.length]);
  const struct = offsets(named('structtype', 'StructType'));
  assert.equal(struct('fields'), KIND_LAYOUT.struct.fields);
  assert.equal(KIND_LAYOUT.struct.fieldCount, KIND_LAYOUT.struct.fields + 8);
  const fieldStruct = named('structfield', 'StructField');
  const field = offsets(fieldStruct);
  assert.equal(fieldStruct?.size, KIND_LAYOUT.field.size);
  const offsetName = GO_LAYOUTS.get(minor)?.fieldOffsetShift === 1 ? 'offsetanon' : 'offset';
  assert.deepEqual(
    [field('name'), field('typ'), field(offsetName)],
    [KIND_LAYOUT.field.name, KIND_LAYOUT.field.type, KIND_LAYOUT.field.offset],
  );
  const methods = offsets(named('interfacetype', 'InterfaceType'))(old ? 'mhdr' : 'methods');
  assert.equal(KIND_LAYOUT.interface.methodCount, (methods ?? 0) + 8);

  const layout = GO_LAYOUTS.get(minor);
  if (minor === 24 || minor === 25) {
    checkMap(layout?.swissMap, structs['internal/abi.SwissMapType']);
  } else {
    checkMap(layout?.swissMap ?? layout?.classicMap, named('maptype', 'MapType'));
  }
}

function checkMap(layout: MapTypeLayout | undefined, struct: Struct | undefined): void {
  assert.ok(layout && struct);
  const map = offsets(struct);
  const classic = layout.kind === 'classic';
  assert.equal(struct.size, layout.size);
  assert.equal(map('flags'), layout.flags);
  assert.deepEqual(
    [map('key'), map('elem'), map(classic ? 'bucket' : 'group'), map('hasher')],
    [KIND_LAYOUT.map.key, KIND_LAYOUT.map.elem, KIND_LAYOUT.map.group, KIND_LAYOUT.map.hasher],
  );
  if (classic) {
    assert.equal(map('keysize'), CLASSIC_MAP_FIELDS.keySlot);
    assert.equal(map('elemsize') ?? map('valuesize'), CLASSIC_MAP_FIELDS.elemSlot);
    assert.equal(map('bucketsize'), CLASSIC_MAP_FIELDS.bucketSize);
  } else if (layout.kind === 'swiss') {
    assert.equal(map('groupsize'), SWISS_MAP_FIELDS.groupSize);
    assert.equal(map('slotsize'), SWISS_MAP_FIELDS.slotSize);
    assert.equal(map('elemoff'), SWISS_MAP_FIELDS.elemOffset);
  } else {
    for (const [field, offset] of Object.entries(STRIDED_MAP_FIELDS)) {
      const name = field.toLowerCase().replace('offset', 'off');
      assert.equal(map(name), offset, field);
    }
  }
}
