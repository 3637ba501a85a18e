import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AttachMethod, addon } from '../../src/kernel/addon.ts';
import { bucketOf, COUNT_BOUNDS } from '../../src/model/buckets.ts';
import type { CallSiteStats, Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { opened } from '../support/opened.ts';

/** Value (or index of a tenth) to number of lookups, as the oracle writes it. */
type Histogram = Readonly<Record<string, number>>;

/** What the oracle computed for one call site, lookup function, type, and hit or miss. See test/services/oracle/README.md. */
export interface Truth {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly variant: string;
  readonly type: string;
  readonly hit: boolean;
  readonly lookups: number;
  readonly probeLength: Histogram;
  readonly keyComparisons: Histogram;
  readonly homePosition: Histogram;
  readonly loadFactor: Histogram;
  readonly growing: number;
  readonly entriesMax: number;
}

export interface OracleRun {
  readonly truth: {
    readonly goVersion: string;
    readonly lookups: number;
    readonly callSites: readonly Truth[];
  };
  readonly snapshot: Snapshot;
}

/** Runs an oracle program under observation of every lookup, and reads what it says the lookups were. */
export async function runOracle(
  path: string,
  args: readonly string[],
  attachMethod?: AttachMethod,
  variables: Readonly<Record<string, string>> = {},
): Promise<OracleRun> {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-oracle-'));
  const truthFile = join(folder, 'truth.json');
  try {
    const env = Object.entries({ ...process.env, ...variables }).map(([name, value]) => `${name}=${value}`);
    const pid = addon.spawnStopped({ file: path, args: [path, ...args, '-truth', truthFile], env });
    const observation = await Observation.start({
      ...opened(pid),
      mode: 'all',
      budget: 1,
      goroutineCosts: true,
      ...(attachMethod !== undefined && { attachMethod }),
    });
    addon.resume(pid);
    const { exitCode } = await addon.waitExit(pid);
    const snapshot = await endOf(observation);
    if (exitCode !== 0) {
      throw new Error(`the oracle ended with status ${exitCode}`);
    }
    return { truth: JSON.parse(readFileSync(truthFile, 'utf8')), snapshot };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything compared of one call site: plain numbers, by name. */
type Fields = Readonly<Record<string, number>>;

/** Every difference between what the oracle computed and what was observed, in words; empty when they agree. */
export function differences({ truth, snapshot }: OracleRun): string[] {
  const shapes = /^go1\.1[89]/.test(truth.goVersion);
  const expected = collect(
    truth.callSites.map((t) => withShape(t, t.function, shapes)),
    keyOfTruth,
    fieldsOfTruth,
  );
  const own = snapshot.callSites
    .filter((site) => site.callSite.function.startsWith('main.'))
    .map((site) => withShape(site, site.callSite.function, shapes));
  const observed = collect(own, keyOfObserved, fieldsOfObserved);
  const found: string[] = [];
  for (const key of new Set([...expected.keys(), ...observed.keys()])) {
    const want = expected.get(key) ?? {};
    const got = { ...observed.get(key) };
    // A NaN hashes to a random number, so nobody else knows where its lookup began (runtime.f64hash).
    if (want['probe length sum'] === undefined && want.lookups !== undefined) {
      forgetPlace(got, want);
    }
    for (const field of new Set([...Object.keys(want), ...Object.keys(got)])) {
      if ((want[field] ?? 0) !== (got[field] ?? 0)) {
        found.push(`${key}: ${field} is ${got[field] ?? 0}, the oracle says ${want[field] ?? 0}`);
      }
    }
  }
  return found;
}

/** Go 1.18 and 1.19 give generic functions map types of the shapes they were compiled for, such as map[go.shape.int64_0]int64. */
function withShape<T extends { readonly type: string }>(item: T, fn: string, shapes: boolean): T {
  return shapes && fn.includes('[...]') ? { ...item, type: 'map of some shape' } : item;
}

/** Leaves only the fields that the oracle knows. */
function forgetPlace(got: Record<string, number>, want: Fields): void {
  for (const field of Object.keys(got)) {
    if (want[field] === undefined) {
      delete got[field];
    }
  }
}

function collect<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  fieldsOf: (item: T) => Fields,
): Map<string, Fields> {
  const collected = new Map<string, Fields>();
  for (const item of items) {
    const key = keyOf(item);
    collected.set(key, merge(collected.get(key) ?? {}, fieldsOf(item)));
  }
  return collected;
}

/** Adds counts up; what is named `most ...` is a maximum. */
function merge(a: Fields, b: Fields): Fields {
  const merged: Record<string, number> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = merged[name] ?? 0;
    merged[name] = name.startsWith('most ') ? Math.max(before, value) : before + value;
  }
  return merged;
}

function keyOfTruth(t: Truth): string {
  return `${t.function}:${t.line} ${t.variant} ${t.type} ${t.hit ? 'hit' : 'miss'}`;
}

function keyOfObserved(s: CallSiteStats): string {
  return `${s.callSite.function}:${s.callSite.line} ${s.variant} ${s.type} ${s.hit ? 'hit' : 'miss'}`;
}

function fieldsOfTruth(t: Truth): Fields {
  return {
    lookups: t.lookups,
    growing: t.growing,
    'most entries': t.entriesMax,
    ...counts('probe length', t.probeLength),
    ...counts('key comparisons', t.keyComparisons),
    ...tenths('home position', t.homePosition),
    ...tenths('load factor', t.loadFactor),
  };
}

/** A histogram of exact values, in the buckets that are observed, with its sum and its largest value. */
function counts(name: string, histogram: Histogram): Fields {
  const fields: Record<string, number> = {};
  for (const [text, times] of Object.entries(histogram)) {
    const value = Number(text);
    const bucket = `${name} bucket ${bucketOf(COUNT_BOUNDS, value)}`;
    fields[bucket] = (fields[bucket] ?? 0) + times;
    fields[`${name} sum`] = (fields[`${name} sum`] ?? 0) + value * times;
    fields[`most ${name}`] = Math.max(fields[`most ${name}`] ?? 0, value);
  }
  return fields;
}

function tenths(name: string, histogram: Histogram): Fields {
  return Object.fromEntries(
    Object.entries(histogram).map(([index, times]) => [`${name} tenth ${index}`, times]),
  );
}

function fieldsOfObserved(s: CallSiteStats): Fields {
  const buckets = (name: string, values: readonly number[], word: string) =>
    Object.fromEntries(values.flatMap((n, i) => (n > 0 ? [[`${name} ${word} ${i}`, n]] : [])));
  return {
    lookups: s.lookups,
    growing: s.growing,
    'most entries': s.largest.entries,
    ...buckets('probe length', s.probeLength.counts, 'bucket'),
    'probe length sum': s.probeLength.sum,
    'most probe length': s.probeLength.max,
    ...buckets('key comparisons', s.keyComparisons.counts, 'bucket'),
    'key comparisons sum': s.keyComparisons.sum,
    'most key comparisons': s.keyComparisons.max,
    ...buckets('home position', s.homePosition.counts, 'tenth'),
    ...buckets('load factor', s.loadFactor.counts, 'tenth'),
  };
}
