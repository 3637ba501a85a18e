// The planners on real programs whose code, or function table, is damaged. They may refuse, and nothing else.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fileInMemory } from '../../src/gobinary/file/file.ts';
import { BinaryError, type GoBinary, openGoBinary } from '../../src/gobinary/index.ts';
import { readGoBinary } from '../../src/gobinary/open.ts';
import { UnprovenError } from '../../src/plan/code/disassemble.ts';
import { isEmulated } from '../../src/plan/code/emulated.ts';
import { lookupFunctions } from '../../src/plan/lookups/lookup-functions.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import { planReturns } from '../../src/plan/lookups/returns.ts';
import { findStringHash } from '../../src/plan/lookups/string-hash.ts';
import { wrapperFrames } from '../../src/plan/lookups/wrappers.ts';
import { findZeroValue } from '../../src/plan/lookups/zero-value.ts';
import { GRPC_FUNCTIONS } from '../../src/plan/traces/grpc.ts';
import { HTTP_FUNCTIONS } from '../../src/plan/traces/http.ts';
import { planTraceSites } from '../../src/plan/traces/plan.ts';
import { SDK_FUNCTIONS } from '../../src/plan/traces/sdk.ts';
import { buildOracle, type Cell } from '../exactness/cells.ts';
import { processorTime } from '../gobinary/measure.ts';
import { withCode } from '../plan/hostile.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { CALLS } from '../tracesites/binaries.ts';
import { Random } from './random.ts';

const LONG = { timeout: 300_000 };
const TRIES = 150;
/** Of one damaged program, in milliseconds of processor time: a few functions may each take what one may. */
const MOST_MILLIS = 15_000;

const ORACLES: readonly Cell[] = [
  { version: '1.23.12', flavor: 'default' },
  { version: 'local', flavor: 'default' },
  { version: 'local', flavor: 'spectre' },
  { version: '1.27.4', flavor: 'default' },
];

const service = (name: string) => fileURLToPath(new URL(`../services/${name}`, import.meta.url));

/** All that is planned for lookups. */
function planLookups(binary: GoBinary): void {
  const plan = planProbes(binary);
  assert.ok(plan.sites.length <= 64);
  for (const site of plan.sites) {
    const fn = binary.functionAt(site.address);
    assert.ok(fn !== undefined && plan.functions[site.functionIndex]?.outcome === 'probed');
    const at = site.address - fn.entry;
    assert.deepEqual(binary.code(fn).slice(at, at + site.bytes.length), site.bytes);
    assert.ok(isEmulated({ bytes: site.bytes } as Parameters<typeof isEmulated>[0]));
    assert.equal(binary.fileOffset(site.address), site.fileOffset);
  }
  planReturns(binary, plan);
  findZeroValue(binary, plan);
  findStringHash(binary);
}

function planAll(binary: GoBinary): void {
  planLookups(binary);
  wrapperFrames(binary);
  planTraceSites(binary);
}

/** Runs it within the limits; false when it refused. */
function within(what: string, work: () => void): boolean {
  let refused = false;
  const took = processorTime(() => {
    try {
      work();
    } catch (error) {
      assert.ok(
        error instanceof BinaryError || error instanceof UnprovenError,
        `${what}: ${(error as Error).stack}`,
      );
      refused = true;
    }
  });
  assert.ok(took < MOST_MILLIS, `${what}: ${took} ms`);
  return !refused;
}

/** Instructions that make the shape of a function another one; what follows their bytes is their operand. */
const TRANSFERS = [
  [0xeb],
  [0x74],
  [0x75],
  [0xe8],
  [0xe9],
  [0x0f, 0x84],
  [0xc3],
  [0xff, 0xd6],
  [0xff, 0xe6],
  [0x90],
  [0x50],
] as const;

/** Changes a function's code in one to four places. */
function damage(code: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const changed = Uint8Array.from(code);
  const edits = 1 + random.below(4);
  for (let i = 0; i < edits; i++) {
    const at = random.below(Math.max(1, changed.length));
    switch (random.below(5)) {
      case 0:
        changed[at] = random.below(256);
        break;
      case 1:
        changed.set(TRANSFERS[random.below(TRANSFERS.length)]?.slice(0, changed.length - at) ?? [], at);
        break;
      case 2: {
        const from = random.below(other.length);
        changed.set(other.subarray(from, from + Math.min(random.below(64), changed.length - at)), at);
        break;
      }
      case 3:
        changed.copyWithin(at, random.below(changed.length), changed.length);
        break;
      default:
        changed.fill(random.oneIn(2) ? 0x90 : 0x74, at, at + random.below(200));
    }
  }
  return changed;
}

for (const cell of ORACLES) {
  test(`Go ${cell.version}, ${cell.flavor}: lookup functions with damaged code`, LONG, async (t) => {
    const binary = openGoBinary(await buildOracle(cell));
    const functions = lookupFunctions(binary);
    const seed = Date.now() % 2 ** 32;
    t.diagnostic(`seed ${seed}`);
    let planned = 0;
    for (let i = 0; i < TRIES; i++) {
      const random = new Random(seed, i);
      const chosen = functions.filter(() => random.oneIn(3));
      const code = new Map(
        chosen.map((fn) => {
          const other = random.pick(functions) ?? fn;
          return [fn.entry, damage(binary.code(fn), binary.code(other), random)];
        }),
      );
      planned += Number(within(`seed ${seed}, input ${i}`, () => planLookups(withCode(binary, code))));
    }
    assert.equal(planned, TRIES, 'damaged functions are refused, the others are planned');
  });
}

test('functions that traces are followed by, with damaged code', LONG, async (t) => {
  const binary = openGoBinary(await buildGo({ dir: CALLS, version: 'local' }));
  const names = [
    ...SDK_FUNCTIONS,
    ...HTTP_FUNCTIONS,
    ...GRPC_FUNCTIONS,
    'runtime.newproc1',
    'runtime.newproc.func1',
  ];
  const functions = names.flatMap((name) => binary.functionsNamed(name));
  assert.ok(functions.length > 4);
  const seed = Date.now() % 2 ** 32;
  t.diagnostic(`seed ${seed}`);
  for (let i = 0; i < 30; i++) {
    const random = new Random(seed, i);
    const code = new Map(
      functions
        .filter(() => random.oneIn(2))
        .map((fn) => [fn.entry, damage(binary.code(fn), binary.code(fn), random)]),
    );
    const outcome = within(`seed ${seed}, input ${i}`, () => planTraceSites(withCode(binary, code)));
    assert.ok(outcome, 'sources are refused one by one');
  }
});

test('programs with a damaged function table', LONG, async (t) => {
  const bytes = readFileSync(await buildGo({ dir: service('lookups'), version: 'local' }));
  const table = bytes.indexOf(Buffer.from([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]));
  assert.ok(table > 0, 'there is a function table');
  const length = 0x8_0000;
  const seed = Date.now() % 2 ** 32;
  t.diagnostic(`seed ${seed}`);
  let planned = 0;
  for (let i = 0; i < 60; i++) {
    const random = new Random(seed, i);
    const file = Buffer.from(bytes);
    const edits = 1 + random.below(200);
    for (let edit = 0; edit < edits; edit++) {
      // The header is what the reader's own fuzzer damages.
      const at = table + 128 + random.below(length);
      file[Math.min(at, file.length - 1)] = random.oneIn(3) ? 0xff : random.below(256);
    }
    planned += Number(
      within(`seed ${seed}, input ${i}`, () => planAll(readGoBinary(fileInMemory('damaged', file)))),
    );
  }
  assert.ok(planned > 0, 'some are still read');
});
