import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import { encodeWord } from '../../src/kernel/records.ts';
import { LookupProgram } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import type { Aggregate } from '../../src/programs/readers/aggregate.ts';
import { AggregateReader } from '../../src/programs/readers/aggregates.ts';
import { readCounters } from '../../src/programs/readers/counters.ts';
import { CASES as ALL_CASES, LookupService } from '../bench/lookupservice.ts';
import { mapped } from '../support/opened.ts';

/*
 * A hit that comes upon another one in its middle, on the same CPU, takes other scratch and counts into aggregates that all CPUs
 * share (bpf/counts/aggregate.bpf.h). That is rare, so here each CPU's own scratch is marked as taken.
 */

const LONG = { timeout: 300_000 };
const LOOKUPS = 500;
const CASES = [
  'fast64 small hit',
  'fast64 large miss',
  'faststr small miss',
  'faststr large hit',
  'generic large hit',
];

const bpftool = (...args: string[]) => execFileSync('bpftool', args, { encoding: 'utf8' });

/** The maps of this name that this process holds. */
function mapsNamed(name: string): { id: number; bytes: number }[] {
  const mine = new Set(
    readdirSync('/proc/self/fdinfo').flatMap((fd) => {
      try {
        return /^map_id:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? [];
      } catch {
        return []; // the listing's own descriptor is closed by now
      }
    }),
  );
  const all = JSON.parse(bpftool('-j', 'map', 'list')) as {
    id: number;
    name?: string;
    bytes_value: number;
  }[];
  return all
    .filter((map) => map.name === name && mine.has(String(map.id)))
    .map(({ id, bytes_value }) => ({ id, bytes: bytes_value }));
}

/** Sets the first word of each CPU's own scratch. */
function takeOwnScratch(taken: boolean): void {
  const [scratch, ...others] = mapsNamed('lookup_scratch');
  assert.ok(scratch !== undefined && others.length === 0);
  const value = [taken ? '1' : '0', ...new Array<string>(scratch.bytes - 1).fill('0')];
  for (let cpu = 0; cpu < addon.possibleCpus(); cpu++) {
    const key = [...encodeWord(cpu)].map((byte) => byte.toString(16));
    bpftool('map', 'update', 'id', String(scratch.id), 'key', 'hex', ...key, 'value', 'hex', ...value);
  }
}

async function aggregatesMade({ kernel }: LookupProgram): Promise<number> {
  const { values } = await kernel.readSharedMap('aggregates_made');
  return Number(values.readBigUInt64LE());
}

/** What lookups of one kind were decoded to, for comparison; there is one aggregate of each name. */
function shapes(aggregates: readonly Aggregate[], times: number) {
  return aggregates
    .filter(({ lookups }) => lookups >= LOOKUPS)
    .map(({ lookups, probeLength, keyComparisons, homePosition, loadFactor, ...rest }) => ({
      ...rest,
      lookups: lookups / times,
      probeLength: probeLength.map((n) => n / times),
      keyComparisons: keyComparisons.map((n) => n / times),
      homePosition: homePosition.map((n) => n / times),
      loadFactor: loadFactor.map((n) => n / times),
      probeLengthSum: rest.probeLengthSum / times,
      keyComparisonsSum: rest.keyComparisonsSum / times,
      largest: { ...rest.largest, seenAt: 0 },
      latest: { ...rest.latest, seenAt: 0 },
      homePositionSum: rest.homePositionSum / times,
      loadFactorSum: rest.loadFactorSum / times,
    }))
    .sort((a, b) => a.caller - b.caller || a.type - b.type || Number(a.hit) - Number(b.hit));
}

for (const version of ['1.23.12', 'local']) {
  test(`Go ${version}: shared aggregates are added to a CPU's own`, LONG, async (context) => {
    const service = await LookupService.start(version);
    context.after(() => service.stop());
    const target = mapped(service.pid);
    const program = await LookupProgram.load({ target, preparation: prepare(target.binary) });
    context.after(() => program.close());
    const reader = new AggregateReader();
    const lookUp = async () => {
      for (const one of CASES) {
        await service.measure(one, LOOKUPS);
      }
    };
    await program.attach();
    await lookUp();
    const own = await reader.read(program.kernel);
    const before = await aggregatesMade(program);

    takeOwnScratch(true);
    await lookUp();
    takeOwnScratch(false);
    assert.ok(
      (await aggregatesMade(program)) >= before + CASES.length,
      'hits have counted into shared aggregates',
    );
    const both = await reader.read(program.kernel);

    await lookUp();
    const all = await reader.read(program.kernel);
    await program.detach();
    assert.deepEqual(
      await reader.readLookups(program.kernel),
      all.map(({ key, lookups }) => ({ key, lookups })),
    );
    assert.equal(shapes(own, 1).length, CASES.length);
    assert.deepEqual(shapes(both, 2), shapes(own, 1));
    assert.deepEqual(shapes(all, 3), shapes(own, 1));
    const { hits, dropped } = await readCounters(program.kernel);
    assert.equal(
      Object.values(dropped).reduce((sum, n) => sum + n, 0),
      0,
    );
    assert.ok(hits >= 3 * CASES.length * LOOKUPS);
  });
}

/** Starts the service, and loads the program with room for so many call sites as on a machine with one CPU. */
async function withRoom(context: TestContext, maxCallSites: number) {
  const service = await LookupService.start();
  context.after(() => service.stop());
  const target = mapped(service.pid);
  const preparation = prepare(target.binary);
  const program = await LookupProgram.load({ target, preparation, maxCallSites, cpus: 1 });
  context.after(() => program.close());
  await program.attach();
  return { service, program };
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0);

test('call sites that CPUs have no room for share, and all are counted', LONG, async (context) => {
  const callSites = 10;
  const { service, program } = await withRoom(context, callSites);
  const reader = new AggregateReader();
  for (const one of ALL_CASES) {
    await service.measure(one, LOOKUPS, 2);
  }
  await program.detach();
  // Small and large maps are looked up from the same lines.
  const each = 4 * LOOKUPS;
  const counts = await reader.readLookups(program.kernel);
  assert.deepEqual(
    counts.map(({ lookups }) => lookups).filter((lookups) => lookups >= each),
    new Array(ALL_CASES.length / 2).fill(each),
  );
  assert.ok((await aggregatesMade(program)) > callSites, 'CPUs have had more than there is room for');
  const { hits, dropped, deferred } = await readCounters(program.kernel);
  assert.equal(sum(dropped), 0);
  assert.equal(hits, deferred + counts.reduce((total, { lookups }) => total + lookups, 0));
});

test('what nobody has room for under its name counts by function and result', LONG, async (context) => {
  const { service, program } = await withRoom(context, 3);
  for (const one of ALL_CASES) {
    await service.measure(one, LOOKUPS, 2);
  }
  await program.detach();
  const reader = new AggregateReader();
  const counts = await reader.readLookups(program.kernel);
  const others = (await reader.read(program.kernel)).filter(({ isOther }) => isOther);
  assert.ok(others.length > 1);
  assert.ok(others.every(({ lookups }) => lookups >= LOOKUPS));
  assert.deepEqual(new Set(others.map(({ hit }) => hit)), new Set([true, false]));
  const { hits, dropped, deferred } = await readCounters(program.kernel);
  assert.equal(sum(dropped), 0);
  assert.equal(hits, deferred + counts.reduce((total, { lookups }) => total + lookups, 0));
});

test('two CPUs that count in the same aggregate at the same time lose nothing', LONG, async (context) => {
  const { service, program } = await withRoom(context, 100);
  takeOwnScratch(true);
  const [one = ''] = CASES;
  await service.measure(one, 100 * LOOKUPS, 2);
  await program.detach();
  const counted = await new AggregateReader().read(program.kernel);
  const [busiest] = counted.sort((a, b) => b.lookups - a.lookups);
  assert.equal(busiest?.lookups, 200 * LOOKUPS);
  for (const distribution of ['keyComparisons', 'homePosition', 'loadFactor'] as const) {
    assert.equal(
      busiest[distribution].reduce((total, n) => total + n),
      200 * LOOKUPS,
      distribution,
    );
  }
  const { hits, dropped } = await readCounters(program.kernel);
  assert.equal(sum(dropped), 0);
  assert.ok(hits >= 200 * LOOKUPS);
});
