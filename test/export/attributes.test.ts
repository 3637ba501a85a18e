import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributesOf } from '../../src/otel/contract/attributes.ts';
import { callSite } from '../model/fixtures.ts';

const KEYS = ['type', 'functionName', 'filePath'] as const;

function values(name: string): unknown[] {
  const site = callSite(1, { type: name, callSite: { function: name, file: name, line: 1 } });
  return Object.values(attributesOf(site, KEYS));
}

test('long names are shortened, and different ones stay different', () => {
  const longest = 'K'.repeat(1024);
  assert.deepEqual(values(longest), [longest, longest, longest]);
  const long = [`${longest}a`, `${longest}b`, `${'K'.repeat(1006)}😀${longest}`].map(values);
  for (const [type = '', ...others] of long as string[][]) {
    assert.ok(type.length <= 1024 && type.isWellFormed(), type);
    assert.match(type, /^K+~[0-9a-f]{16}$/);
    assert.deepEqual(others, [type, type]);
  }
  assert.equal(new Set(long.map(([type]) => type)).size, long.length);
});
