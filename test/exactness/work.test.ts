// What a hit may do is bounded: what goes beyond that is counted with its reason, and nothing is silently exact.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

const DIR = join(import.meta.dirname, '../services/work');
const LONG = { timeout: 120_000 };

/** Longest time that one hit may hold a processor, in nanoseconds. */
const LONGEST_HIT = 1_000_000;

/** Observes every lookup of a run. */
async function observe(
  args: readonly string[],
  version = 'local',
  atEnd: () => void = () => {},
): Promise<Snapshot> {
  const path = await buildGo({ dir: DIR, version });
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const pid = addon.spawnStopped({ file: path, args: [path, ...args], env });
  const observation = await Observation.start({ ...opened(pid), mode: 'all', budget: 1 });
  addon.resume(pid);
  const { exitCode } = await addon.waitExit(pid);
  atEnd();
  const snapshot = await endOf(observation);
  assert.equal(exitCode, 0);
  return snapshot;
}

/** Lookups made in one function, and how many of them were hits. */
function lookupsIn({ callSites }: Snapshot, name: string): { hits: number; misses: number; inexact: number } {
  const own = callSites.filter((site) => site.callSite.function === name);
  const sum = (of: (site: (typeof own)[number]) => number) => own.reduce((all, site) => all + of(site), 0);
  return {
    hits: sum((site) => (site.hit ? site.lookups : 0)),
    misses: sum((site) => (site.hit ? 0 : site.lookups)),
    inexact: sum((site) => site.inexact),
  };
}

test('keys of 100 KiB that differ near their end are compared to their end', LONG, async () => {
  const snapshot = await observe(['long', '100000']);
  assert.deepEqual(lookupsIn(snapshot, 'main.getString'), { hits: 100, misses: 100, inexact: 0 });
});

test('keys that are equal as far as they are compared are not certain', LONG, async () => {
  const snapshot = await observe(['long', String(17 << 20)]);
  const { hits, misses, inexact } = lookupsIn(snapshot, 'main.getString');
  assert.equal(hits + misses, 200);
  assert.equal(inexact, 200);
  assert.equal(snapshot.inexact.long_key, 200);
});

test('keys of sixty interfaces are compared to the last', LONG, async () => {
  const snapshot = await observe(['interfaces']);
  assert.deepEqual(lookupsIn(snapshot, 'main.getInterfaces'), { hits: 100, misses: 100, inexact: 0 });
});

test('a bucket that follows itself ends the hit within a millisecond', LONG, async (context) => {
  switchStatisticsOn(context);
  let longest = 0;
  const snapshot = await observe(['loop'], '1.23.12', () => {
    longest = meanRunTime();
  });
  assert.equal(snapshot.dropped.too_much_work, 1, JSON.stringify(snapshot.dropped));
  assert.ok(longest > 0 && longest < LONGEST_HIT, `${longest} ns`);
});

function switchStatisticsOn(context: TestContext): void {
  const path = '/proc/sys/kernel/bpf_stats_enabled';
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, '1');
  context.after(() => writeFileSync(path, before));
}

/** Nanoseconds per run of the lookup program of this process: the only one of that name that has run. */
function meanRunTime(): number {
  const programs = JSON.parse(
    execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' }),
  ) as readonly {
    readonly name?: string;
    readonly run_time_ns?: number;
    readonly run_cnt?: number;
  }[];
  const own = programs.filter(({ name, run_cnt: runs = 0 }) => name === 'lookup' && runs > 0);
  return Math.max(...own.map(({ run_time_ns: time = 0, run_cnt: runs = 1 }) => time / runs));
}
