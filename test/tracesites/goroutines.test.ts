import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { ALL_VERSIONS } from '../support/go-toolchains.ts';
import {
  BUNDLERS,
  changed,
  described,
  followed,
  LOOKUPS,
  open,
  PIE,
  planOf,
  STRIPPED,
  UNOPTIMISED,
} from './binaries.ts';

const LONG = { timeout: 600_000 };
const SITE = 'goroutineStart runtime.newproc.func1 goroutine=3';

for (const version of ALL_VERSIONS) {
  test(`go statements, Go ${version}`, LONG, async () => {
    for (const flags of [[], STRIPPED, PIE, UNOPTIMISED]) {
      const binary = await open(LOOKUPS, version, flags);
      const { sites } = followed(binary, 'goroutines');
      assert.deepEqual(described(sites), [SITE], flags.join());
      const [{ address, bytes } = { address: 0, bytes: new Uint8Array() }] = sites;
      const target = address + 5 + new DataView(bytes.buffer, bytes.byteOffset).getInt32(1, true);
      assert.equal(binary.functionAt(target)?.name, 'runtime.runqput');
    }
  });
}

test('go statements of published programs', () => {
  for (const path of BUNDLERS)
    assert.deepEqual(described(followed(openGoBinary(path), 'goroutines').sites), [SITE]);
});

test('without the call, they are refused', LONG, async () => {
  const binary = await open(LOOKUPS, '1.27.4');
  const [site] = followed(binary, 'goroutines').sites;
  const entry = binary.functionsNamed('runtime.newproc.func1')[0]?.entry;
  assert.ok(site && entry !== undefined);
  const nop = [0x0f, 0x1f, 0x44, 0, 0];
  const without = changed(binary, 'runtime.newproc.func1', [...site.bytes], nop, site.address - entry);
  assert.deepEqual(planOf(without, 'goroutines'), {
    source: 'goroutines',
    outcome: 'refused',
    reason: 'runtime.newproc.func1 calls runtime.runqput at 0 places, not at one',
  });
});
