// Proves the oracle with every supported Go: it panics when a lookup did not do what it says.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { countedRuntime } from '../support/counted-runtime.ts';
import { ALL_VERSIONS, buildGo, CLASSIC_VERSIONS } from '../support/go-toolchains.ts';

const ORACLE = join(import.meta.dirname, 'oracle');

/** Toolchains to build a whole counting runtime for: the ends of each implementation, and where its sources changed. */
const COUNTED_VERSIONS = ['1.17.13', '1.23.12', '1.24.13', '1.25.9', 'local', '1.27.4'];

type Counts = Readonly<Record<string, number>>;

interface Truth {
  readonly goVersion: string;
  readonly implementation: string;
  readonly lookups: number;
  readonly callSites: readonly {
    readonly function: string;
    readonly file: string;
    readonly line: number;
    readonly variant: string;
    readonly type: string;
    readonly hit: boolean;
    readonly lookups: number;
    readonly probeLength: Counts;
    readonly keyComparisons: Counts;
    readonly homePosition: Counts;
    readonly loadFactor: Counts;
    readonly growing: number;
    readonly hashIsRandom?: boolean;
  }[];
}

const folder = mkdtempSync(join(tmpdir(), 'mapscope-oracle-'));
after(() => rmSync(folder, { recursive: true }));

function truthOf(binary: string, args: readonly string[]): Truth {
  const file = join(folder, 'truth.json');
  const output = execFileSync(binary, ['-truth', file, ...args], { encoding: 'utf8' });
  assert.equal(output, '');
  return JSON.parse(readFileSync(file, 'utf8'));
}

const total = (counts: Counts) => Object.values(counts).reduce((sum, n) => sum + n, 0);

/** The line of the source that a call site names. */
const sourceLine = (file: string, line: number) => readFileSync(file, 'utf8').split('\n')[line - 1] ?? '';

function checkDocument(truth: Truth): void {
  assert.equal(
    truth.callSites.reduce((sum, site) => sum + site.lookups, 0),
    truth.lookups,
  );
  for (const site of truth.callSites) {
    const known = site.hashIsRandom ? 0 : site.lookups;
    const totals = [site.probeLength, site.keyComparisons, site.homePosition, site.loadFactor].map(total);
    assert.deepEqual(totals, [known, known, known, site.lookups], site.function);
    assert.match(sourceLine(join(ORACLE, site.file.split('/').at(-1) ?? ''), site.line), /m\[\w|MapIndex/);
  }
}

const variantsOf = (truth: Truth) => [...new Set(truth.callSites.map((site) => site.variant))].sort();

for (const version of ALL_VERSIONS) {
  test(`every lookup did what the oracle says: Go ${version}`, async () => {
    const truth = truthOf(await buildGo({ dir: ORACLE, version }), ['-lookups', '200000']);
    checkDocument(truth);
    const classic = (CLASSIC_VERSIONS as readonly string[]).includes(version);
    assert.equal(truth.implementation, classic ? 'classic' : 'swiss');
    assert.equal(
      truth.callSites.some((site) => site.growing > 0),
      classic,
    );
    const suffixes = ['', '_fast32', '_fast64', '_faststr'];
    const accesses = version.startsWith('1.27') ? ['mapaccess2'] : ['mapaccess1', 'mapaccess2'];
    assert.deepEqual(
      variantsOf(truth),
      accesses.flatMap((access) => suffixes.map((suffix) => access + suffix)),
    );
  });
}

for (const version of COUNTED_VERSIONS) {
  test(`the runtime itself counts the same: Go ${version}`, async () => {
    const overlay = await countedRuntime(version);
    const binary = await buildGo({ dir: ORACLE, version, flags: ['-tags=counted'], overlay });
    for (const seed of ['1', '2']) {
      checkDocument(truthOf(binary, ['-lookups', '400000', '-seed', seed]));
    }
  });
}

for (const flags of [['-gcflags=all=-N -l'], ['-buildmode=pie'], ['-race']]) {
  test(`the oracle holds when built with ${flags.join(' ')}`, async () => {
    for (const version of ['1.23.12', 'local']) {
      checkDocument(truthOf(await buildGo({ dir: ORACLE, version, flags }), ['-lookups', '50000']));
    }
  });
}

test('cases can be chosen', async () => {
  const binary = await buildGo({ dir: ORACLE, version: 'local' });
  const truth = truthOf(binary, ['-cases', 'map[int32]int64/small', '-lookups', '1000', '-seed', '7']);
  assert.deepEqual([...new Set(truth.callSites.map((site) => site.type))], ['map[int32]int64']);
  assert.ok(truth.lookups > 500 && truth.lookups < 1100, `${truth.lookups}`);
  const names = execFileSync(binary, ['-list', '-million'], { encoding: 'utf8' });
  assert.match(names, /^map\[int64\]int64\/million$/m);
});
