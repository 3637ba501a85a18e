// The published layout against the header itself.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';

const header = readFileSync(join(import.meta.dirname, '../../bpf/records.h'), 'utf8').replace(
  /\/\*.*?\*\//gs,
  '',
);
const { structs, enums, constants, wideConstants } = addon.records;

/** Bodies of `struct NAME { ... };` or `enum NAME { ... };`. */
function bodies(keyword: string): Map<string, string> {
  const found = header.matchAll(new RegExp(`\\b${keyword} (\\w+) \\{([^}]*)\\}`, 'g'));
  return new Map([...found].map(([, name = '', body = '']) => [name, body]));
}

test('every struct of the header is published with every field, in order', () => {
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
    count: constants.COUNT_BUCKETS,
  });
});

test('every enumerator of the header is published with its value', () => {
  const declared = bodies('enum');
  assert.deepEqual(Object.keys(enums).sort(), [...declared.keys()].sort());
  for (const [name, body] of declared) {
    let next = 0;
    const expected: Record<string, number> = {};
    for (const [, enumerator = '', value] of body.matchAll(/(\w+)(?:\s*=\s*(\w+))?,?/g)) {
      next = value === undefined ? next : Number(value);
      expected[enumerator] = next++;
    }
    assert.deepEqual({ ...enums[name] }, expected, `enum ${name}`);
  }
});

test('every constant of the header is published with its value', () => {
  const declared = [...header.matchAll(/^#define (\w+) (\w+)\s*$/gm)].map(
    ([, name = '', value = '']): [string, bigint] => [name, BigInt(value.replace(/U?L*$/, ''))],
  );
  const published = [...Object.entries(constants), ...Object.entries(wideConstants)].map(
    ([name, value]): [string, bigint] => [name, BigInt(value)],
  );
  assert.deepEqual(Object.fromEntries(published), Object.fromEntries(declared));
});

test('the records cannot be changed', () => {
  assert.throws(() => Object.assign(constants, { MAX_PROBE_SITES: 1 }), TypeError);
  assert.ok(Object.isFrozen(structs) && Object.isFrozen(structs.lookup_key?.fields.type));
});
