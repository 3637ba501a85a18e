import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/report/summary/schema.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { EqualPair, type Share } from './equalpair.ts';
import type { Measured, Part, Run } from './part.ts';
import { Sidecar } from './processes.ts';
import { sitesFile } from './seriesservice.ts';
import { percent } from './statistics.ts';

const SOURCES = fileURLToPath(new URL('../services/allowance', import.meta.url));

const BUDGET = 0.01;
/** What a target really pays may be so much more than it is allowed to. */
const TOLERANCE = 1.3;
const MANY_SITES = 6000;
/** The last release with classic maps, whose buckets have chains. */
const CLASSIC = '1.23.12';

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly version?: string;
  readonly sites?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'keys of 16 bytes', args: ['keys', '16'] },
  { name: 'keys of 4 KiB', args: ['keys', `${4 << 10}`] },
  { name: 'keys of 64 KiB', args: ['keys', `${64 << 10}`] },
  { name: 'keys of 256 KiB', args: ['keys', `${256 << 10}`] },
  { name: 'the same, with rests of 2 ms', args: ['-rest', '2ms', 'keys', `${256 << 10}`] },
  { name: 'chains of 500 buckets', args: ['chain', '500'], version: CLASSIC },
  { name: '100,000 goroutines', args: ['goroutines', '100000'] },
  { name: `${MANY_SITES.toLocaleString('en')} call sites`, args: ['sites'], sites: true },
];

/** Seconds. */
interface Extent {
  readonly warmUp: number;
  readonly observed: number;
  readonly alone: number;
}

const QUICK: Extent = { warmUp: 3, observed: 15, alone: 5 };
const FULL: Extent = { warmUp: 5, observed: 60, alone: 20 };

/** One program of a pair observed, then none, then the other, then none. */
interface Result {
  readonly name: string;
  /** What observing one of them did to its CPU time, as a share of it. */
  readonly measured: number;
  /** The same reckoned from the times in which none was observed: chance. */
  readonly chance: number;
  /** The same by the two reports. */
  readonly reported: number;
  /** What the governor may spend: of the budget, or what is always allowed. */
  readonly allowance: number;
  /** Of a processor, used by each. */
  readonly cpus: number;
  /** Lookups per second that were decoded. */
  readonly decoded: number;
  readonly shares: readonly Share[];
}

/** What targets really pay at a budget of 1 %, measured from outside, for lookups that are dear in each a way of its own. */
export const allowance: Part = {
  name: 'allowance',
  title: `CPU time that targets pay at \`--budget ${100 * BUDGET}%\`, measured from outside`,
  measure: async (run: Run): Promise<Measured> => {
    const extent = run.quick ? QUICK : FULL;
    const results: Result[] = [];
    for (const one of CASES) {
      results.push(await measure(run, one, extent));
    }
    const most = Math.max(...results.map((result) => result.measured / result.allowance));
    const beyond = results.filter((result) => result.measured > TOLERANCE * result.allowance);
    return {
      figures: { measured_over_allowance: most },
      details: results,
      report: {
        head: ['lookups', 'CPUs', 'decoded a second', 'allowed', 'reported', 'measured', 'chance'],
        rows: results.map((result) => [
          result.name,
          result.cpus.toFixed(2),
          result.decoded.toFixed(1),
          percent(result.allowance),
          percent(result.reported),
          percent(result.measured),
          percent(result.chance),
        ]),
        remarks: [
          `Two equal programs share a processor. mapscope observes one for ${extent.observed} s, none for ${extent.alone} s, the other one, and none: measured is how much more CPU time a piece of work takes the observed one, as a share; chance is the same of the times with none.`,
          beyond.length === 0
            ? `None pays more than ${TOLERANCE} times what is allowed.`
            : `More than ${TOLERANCE} times what is allowed: ${beyond.map(({ name }) => name).join(', ')}.`,
        ],
      },
    };
  },
};

async function measure(run: Run, { name, args, version, sites }: Case, extent: Extent): Promise<Result> {
  const path = sites
    ? await buildWithSites(run)
    : await buildGo({ dir: SOURCES, version: version ?? 'local' });
  const pair = await EqualPair.start(run, path, args);
  await delay(1000 * extent.warmUp);
  const [one, oneReport] = await observed(run, pair, pair.first.pid, extent);
  const before = await pair.share(extent.alone);
  const [other, otherReport] = await observed(run, pair, pair.second.pid, extent);
  const after = await pair.share(extent.alone);
  await pair.stop();
  const reports = [oneReport, otherReport];
  const cpus = (one.first.cpuSeconds + other.second.cpuSeconds) / (2 * extent.observed);
  return {
    name,
    measured: asShare(Math.sqrt(one.ratio / other.ratio) - 1),
    chance: Math.sqrt(before.ratio / after.ratio) - 1,
    reported: mean(reports.map(({ overhead }) => overhead.share ?? Number.NaN)),
    allowance: Math.max(BUDGET, mean(reports.map(floorOf)) / cpus),
    cpus,
    decoded: mean(reports.map(({ observed: { lookups, seconds } }) => lookups / seconds)),
    shares: [one, before, other, after],
  };
}

/** What both do while one is observed, without interruption, and the report of that. */
async function observed(
  run: Run,
  pair: EqualPair,
  pid: number,
  { warmUp, observed: seconds }: Extent,
): Promise<[Share, Summary]> {
  const sidecar = await Sidecar.attach(run, ['--pid', `${pid}`, '--budget', `${100 * BUDGET}%`], 1);
  await delay(1000 * warmUp);
  const share = await pair.share(seconds);
  const [report] = await sidecar.stop();
  if (report === undefined) {
    throw new Error('mapscope gave no report');
  }
  return [share, report];
}

/** CPU seconds per second that are allowed whatever the target uses: of a hundred lookups, if they are not too dear (src/observe/windows/limits.ts). */
function floorOf({ overhead: { trapSeconds, decodeSeconds, margin } }: Summary): number {
  return Math.min(100 * (1 + margin) * (trapSeconds + decodeSeconds), 0.0005);
}

/** Of what it would be without, as a share of what it is. */
function asShare(more: number): number {
  return more / (1 + more);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function buildWithSites(run: Run): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'mapscope-bench-'));
  run.after(() => rm(dir, { recursive: true, force: true }));
  cpSync(SOURCES, dir, { recursive: true });
  writeFileSync(join(dir, 'sites.go'), `//go:build sites\n\n${sitesFile(MANY_SITES)}`);
  return buildGo({ dir, version: 'local', flags: ['-tags=sites'] });
}
