import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { type Aggregate, AggregateReader, readCounters } from '../../src/observe/aggregates.ts';
import { prepare } from '../../src/observe/preparation.ts';
import { LookupProgram } from '../../src/observe/program.ts';
import { LookupService } from '../bench/lookupservice.ts';

/*
 * A hit that comes upon another one in its middle, on the same CPU, takes another slot and counts into aggregates that such
 * hits share (bpf/aggregate.bpf.h). That is rare, so here the first slot of every CPU is marked as taken.
 */

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

/** Sets the first word of the first slot of every CPU. */
function setFirstSlots(taken: boolean): void {
  const [slots, ...others] = mapsNamed('slots');
  assert.ok(slots !== undefined && others.length === 0);
  const value = [taken ? '1' : '0', ...new Array<string>(slots.bytes - 1).fill('0')];
  bpftool(
    'map',
    'update',
    'id',
    String(slots.id),
    'key',
    'hex',
    '0',
    '0',
    '0',
    '0',
    'value',
    'hex',
    ...value,
  );
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
      homePositionSum: rest.homePositionSum / times,
      loadFactorSum: rest.loadFactorSum / times,
    }))
    .sort((a, b) => a.caller - b.caller || a.type - b.type || Number(a.hit) - Number(b.hit));
}

for (const version of ['1.23.12', 'local']) {
  test(`Go ${version}: shared aggregates are added to a CPU's own`, { timeout: 300_000 }, async (context) => {
    const service = await LookupService.start(version);
    context.after(() => service.stop());
    const binary = openGoBinary(service.path);
    const program = await LookupProgram.load({ pid: service.pid, binary, preparation: prepare(binary) });
    context.after(() => program.close());
    const reader = new AggregateReader();
    const lookUp = async () => {
      for (const one of CASES) await service.measure(one, LOOKUPS);
    };
    const shared = async () => (await program.kernel.readPerCpuMap('shared_lookups')).count;

    await program.attach();
    await lookUp();
    const own = await reader.read(program.kernel);
    const before = await shared();

    setFirstSlots(true);
    await lookUp();
    setFirstSlots(false);
    assert.ok((await shared()) >= before + CASES.length, 'hits have counted into shared aggregates');
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
