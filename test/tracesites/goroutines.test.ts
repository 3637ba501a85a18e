import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GoBinary, openGoBinary } from '../../src/gobinary/index.ts';
import { callsIn } from '../../src/plan/code/disassemble.ts';
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
const STARTER = 'runtime.newproc.func1';
const SITE = `goroutineStart ${STARTER} goroutine=3`;

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
  for (const path of BUNDLERS) {
    assert.deepEqual(described(followed(openGoBinary(path), 'goroutines').sites), [SITE]);
  }
});

/** A program whose function that starts goroutines calls neither, or not the second. */
async function without(...calls: readonly ('newproc1' | 'runqput')[]): Promise<GoBinary> {
  const binary = await open(LOOKUPS, '1.27.4');
  const [starter] = binary.functionsNamed(STARTER);
  assert.ok(starter);
  const places = [...callsIn(binary.code(starter), starter.entry)]
    .filter(({ target }) => calls.some((call) => binary.functionAt(target)?.name === `runtime.${call}`))
    .map(({ returnAddress }) => returnAddress - 5 - starter.entry);
  assert.equal(places.length, calls.length);
  const nop = [0x0f, 0x1f, 0x44, 0, 0];
  const code = binary.code(starter);
  const edits = places.map((at) => ({ at, from: [...code.subarray(at, at + 5)], to: nop }));
  return changed(binary, STARTER, ...edits);
}

test(
  'where the call of runqput is not, the next place that has the new goroutine is taken',
  LONG,
  async () => {
    const binary = await without('runqput');
    const [site] = followed(binary, 'goroutines').sites;
    assert.ok(site);
    // Go 1.27 has moved newproc1's result to RBX before, for runqput.
    assert.deepEqual(described([site]), [SITE]);
    assert.match(site.instruction, /^j/);
  },
);

test('where neither call is, go statements are refused', LONG, async () => {
  assert.deepEqual(planOf(await without('newproc1', 'runqput'), 'goroutines'), {
    source: 'goroutines',
    outcome: 'refused',
    reason: 'runtime.newproc.func1 calls runtime.newproc1 at 0 places, not at one',
  });
});
