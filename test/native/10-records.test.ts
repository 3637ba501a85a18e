// What is read of the records' types, against the headers' own text and against shapes that they do not have.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import { objectPath } from '../../src/kernel/object-path.ts';
import {
  encodeRecords,
  fieldOffset,
  member,
  RecordReader,
  recordConstant,
  recordEnum,
  wideRecordConstant,
} from '../../src/kernel/records.ts';
import { buildBpfObject, probeObject } from './support.ts';

const shared = join(import.meta.dirname, '../../bpf/shared');
const header = readdirSync(shared)
  .map((name) => readFileSync(join(shared, name), 'utf8').replace(/\/\*.*?\*\//gs, ''))
  .join('\n');
const { structs, enums } = addon.readRecords(objectPath('records'));

/** Bodies of `struct NAME { ... };` or `enum NAME { ... };`. */
function bodies(keyword: string): Map<string, string> {
  const found = header.matchAll(new RegExp(`\\b${keyword} (\\w+) \\{([^}]*)\\}`, 'g'));
  return new Map([...found].map(([, name = '', body = '']) => [name, body]));
}

test('every struct of the headers is read with every field, in order', () => {
  const declared = bodies('struct');
  assert.deepEqual(Object.keys(structs).sort(), [...declared.keys()].sort());
  const fieldsOf = (body: string): string[] =>
    [...body.matchAll(/(?:struct (\w+)|__\w+)\s+(\w+)(\[\w+\])?;/g)].flatMap(([, inner, name = '', array]) =>
      inner === undefined || array !== undefined
        ? [name]
        : fieldsOf(declared.get(inner) ?? '').map((field) => `${name}.${field}`),
    );
  for (const [name, body] of declared) {
    assert.deepEqual(Object.keys(structs[name]?.fields ?? {}), fieldsOf(body), `struct ${name}`);
  }
});

test('fields follow one another and fill the struct', () => {
  for (const [name, { size, fields }] of Object.entries(structs)) {
    let end = 0;
    for (const [field, layout] of Object.entries(fields)) {
      assert.ok(layout.offset >= end && layout.offset < end + 8, `${name}.${field}`);
      end = layout.offset + layout.size * layout.count;
    }
    assert.ok(size >= end && size < end + 8, name);
  }
  assert.deepEqual(structs.lookup_key?.fields.type, { offset: 8, size: 8, count: 1 });
  assert.deepEqual(structs.lookup_stats?.fields.probe_length, {
    offset: 0,
    size: 8,
    count: enums.histogram_sizes?.COUNT_BUCKETS,
  });
});

/** Enumerators of a declared enum with their values. */
function enumerators(body: string): [string, bigint][] {
  let next = 0n;
  return [...body.matchAll(/(\w+)(?:\s*=\s*(\w+))?,?/g)].map(([, name = '', value]) => {
    const here = value === undefined ? next : BigInt(value.replace(/U?L*$/, ''));
    next = here + 1n;
    return [name, here];
  });
}

test('every enum of the headers is read, with its values', () => {
  const declared = bodies('enum');
  assert.deepEqual(Object.keys(enums).sort(), [...declared.keys()].sort());
  for (const [name, body] of declared) {
    const values = Object.entries(enums[name] ?? {}).map(([enumerator, value]) => [
      enumerator,
      BigInt(value),
    ]);
    assert.deepEqual(values, enumerators(body), `enum ${name}`);
  }
});

test('the records cannot be changed', () => {
  assert.throws(() => Object.assign(enums.counter ?? {}, { COUNTER_HITS: 1 }), TypeError);
  assert.ok(Object.isFrozen(structs) && Object.isFrozen(structs.lookup_key?.fields.type));
});

test('a name that the headers do not declare is an error, where the type checker does not see it', () => {
  const anything = <T>(name: unknown) => name as T;
  const noStruct = /^TypeError: bpf\/shared\/ declares no struct probe_sites$/;
  assert.throws(() => encodeRecords(anything<'probe_site'>('probe_sites'), []), noStruct);
  const noField = /^TypeError: struct lookup_key of bpf\/shared\/ has no field callee$/;
  const callee = anything<'caller'>('callee');
  assert.throws(() => encodeRecords('lookup_key', [anything({ callee: 1 })]), noField);
  assert.throws(() => member('name', 'lookup_key', anything({ callee: 1 })), noField);
  assert.throws(() => new RecordReader('lookup_key').field(callee), noField);
  assert.throws(() => fieldOffset('lookup_key', callee), noField);
  const hits = anything<'COUNTER_HITS'>('HITS');
  assert.throws(() => recordConstant(hits), /^TypeError: bpf\/shared\/ declares no enumerator HITS$/);
  const counters = anything<'counter'>('counters');
  assert.throws(() => recordEnum(counters), /^TypeError: bpf\/shared\/ declares no enum counters$/);
});

test('a constant that no number holds is no number', () => {
  assert.equal(wideRecordConstant('HASH_MULTIPLIER'), 0x9e3779b97f4a7c15n);
  const multiplier = 'HASH_MULTIPLIER' as unknown as 'COUNTER_HITS';
  assert.throws(() => recordConstant(multiplier), /^TypeError: no number holds HASH_MULTIPLIER/);
  assert.throws(() => recordEnum('hash_multiplier'), /^TypeError: no numbers hold enum hash_multiplier/);
});

test('the type checker knows the names that are there', () => {
  const names = readFileSync(join(import.meta.dirname, '../../build/record-names.ts'), 'utf8');
  const fieldNames = Object.values(structs).flatMap(({ fields }) => Object.keys(fields));
  const enumerators = Object.values(enums).flatMap((values) => Object.keys(values));
  for (const name of [...fieldNames, ...enumerators]) {
    assert.ok(names.includes(`'${name}'`), name);
  }
});

test('nested structs, arrays, typedefs and values of every size', () => {
  const shapes = addon.readRecords(buildBpfObject('shapes.bpf.c'));
  assert.deepEqual(shapes.structs.outer, {
    size: 48,
    fields: {
      tag: { offset: 0, size: 1, count: 1 },
      'one.first': { offset: 4, size: 1, count: 1 },
      'one.pad': { offset: 5, size: 1, count: 3 },
      'one.second': { offset: 8, size: 4, count: 1 },
      pairs: { offset: 12, size: 2, count: 6 },
      many: { offset: 24, size: 8, count: 2 },
      last: { offset: 40, size: 8, count: 1 },
    },
  });
  assert.deepEqual(
    Object.entries(shapes.enums).flatMap(([, values]) => Object.entries(values)),
    [
      ['MINUS_ONE', -1],
      ['ZERO', 0],
      ['LARGEST_INT', 2 ** 31 - 1],
      ['LARGEST_UNSIGNED', 2 ** 32 - 1],
      ['EXACT', 2 ** 53],
      ['INEXACT', 2n ** 53n + 1n],
      ['LARGEST', 2n ** 64n - 1n],
      ['LOWEST', -(2 ** 40)],
    ],
  );
});

test('what is no object with records is refused', () => {
  const refused = (path: string, message: RegExp) =>
    assert.throws(() => addon.readRecords(path), { message });
  refused('/nowhere', /^cannot read the records of \/nowhere: No such file or directory$/);
  refused(import.meta.filename, /^cannot read the records of .*10-records\.test\.ts: /);
  refused(buildBpfObject('pointer.bpf.c'), /: struct with_pointer has a field that is no whole number$/);
  assert.throws(() => addon.readRecords(1 as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('an object with other records than the addon and the readers know is refused', async () => {
  const path = buildBpfObject('other_records.bpf.c');
  const because = 'lays out struct window_gate in another way than';
  assert.throws(() => addon.readRecords(path), {
    code: 'ENOEXEC',
    message: `the BPF object ${path} ${because} the native addon: they were not built together`,
  });
  addon.readRecords(objectPath('records'));
  await assert.rejects(probeObject(path).load(), {
    code: 'ENOEXEC',
    message: `the BPF object ${path} ${because} user space: they were not built together`,
  });
});

test('an object in memory has a path, is read like a file and made once', () => {
  const file = objectPath('records');
  const path = addon.memoryFile('records.bpf.o', readFileSync(file));
  assert.match(path, /^\/proc\/self\/fd\/\d+$/);
  assert.match(readlinkSync(path), /^\/memfd:records\.bpf\.o /);
  assert.deepEqual(readFileSync(path), readFileSync(file));
  assert.deepEqual(addon.readRecords(path), addon.readRecords(file));
  assert.equal(addon.memoryFile('records.bpf.o', Buffer.from('other')), path);
  assert.throws(() => addon.memoryFile('records.bpf.o', 'text' as unknown as Buffer), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});
