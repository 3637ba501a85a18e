import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Distribution } from '../../src/model/distribution.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { Spike, SpikeThreshold } from '../../src/model/spike.ts';
import { DEFAULT_LABELS } from '../../src/model/trace-sources.ts';
import { Observation } from '../../src/observe/observation.ts';
import { LookupProgram } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import { endOf } from '../support/accounts.ts';
import { Collisions, probeLengthOf } from '../support/collisions.ts';
import { mapped, opened } from '../support/opened.ts';
import { runLoad, startShop } from '../support/shop.ts';

const LONG = { timeout: 300_000 };
/** A classic map, and Swiss ones with both formats of map types. */
const VERSIONS = ['1.23.12', 'local', '1.27.4'];
const KEPT = 4;

const traceId = (n: number): string => n.toString(16).padStart(32, 'a');
const spanId = (n: number): string => n.toString(16).padStart(16, 'b');

/** Observes every lookup of the program. `read` gives the spikes since the last call. */
async function observe(context: TestContext, threshold: SpikeThreshold, version = 'local') {
  const program = await Collisions.start(context, version);
  const spikes: Spike[] = [];
  const observation = await Observation.start({
    ...opened(program.pid),
    mode: 'all',
    budget: 1,
    labels: DEFAULT_LABELS,
    spikes: { threshold, onSpikes: (more) => spikes.push(...more) },
  });
  let stopped: Promise<Snapshot> | undefined;
  const stop = () => {
    stopped ??= endOf(observation);
    return stopped;
  };
  context.after(stop);
  return {
    program,
    observation,
    stop,
    read: async () => {
      await observation.collectSpikes();
      return spikes.splice(0);
    },
    rest: () => spikes.splice(0),
  };
}

for (const version of VERSIONS) {
  test(
    `Go ${version}: a lookup above the limit is a spike, one at the limit is not`,
    LONG,
    async (context) => {
      const { program, read, observation } = await observe(context, { limit: 16 }, version);
      for (const key of [0, 7, 14, 15]) {
        await program.lookUp({ key });
      }
      assert.deepEqual(await read(), [], 'at most 16 comparisons');

      const before = BigInt(Date.now()) * 1_000_000n;
      const { goroutine, parent } = await program.lookUp({ key: 16, traceId: traceId(1), spanId: spanId(2) });
      const after = BigInt(Date.now() + 1) * 1_000_000n;
      const [spike, ...more] = await read();
      assert.ok(spike);
      assert.deepEqual(more, []);
      const { time, callSite, map, parentGoroutine, ...rest } = spike;
      // A millisecond is what the two clocks are compared to.
      assert.ok(time >= before - 2_000_000n && time <= after + 2_000_000n, `${before} ${time} ${after}`);
      assert.equal(callSite.function, 'main.lookUpHere');
      assert.match(callSite.file, /collisions\/main\.go$/);
      assert.deepEqual(rest, {
        type: 'map[main.key]int',
        hit: true,
        probeLength: probeLengthOf(16),
        keyComparisons: 17,
        probeLengthLimit: 16,
        keyComparisonsLimit: 16,
        goroutine,
        traceId: traceId(1),
        spanId: spanId(2),
        suppressed: 0,
      });
      assert.equal(parentGoroutine, parent);
      assert.equal(map.entries, 70);
      assert.equal(map.growing, false);
      assert.ok(map.homeBucket >= 0 && map.homeBucket < map.buckets);
      assert.deepEqual([map.usedSlots, map.slots], [70, 8 * map.buckets]);

      // The chain of 70 keys begins in a bucket of its own.
      assert.equal(map.overflowBuckets, version === '1.23.12' ? 8 : 0);
      assert.equal((await observation.snapshot()).spikes?.seen, 1);
    },
  );
}

test(
  'of each site a few are told, the rest are counted and told of by the next one',
  LONG,
  async (context) => {
    const { program, read, stop, rest } = await observe(context, { limit: 30 });
    await program.lookUp({ key: 40, count: 1000 });
    await program.lookUp({ site: 'there', key: 50, count: 2 });
    const told = await read();
    const at = (spikes: Spike[], site: string) =>
      spikes.filter((s) => s.callSite.function === `main.lookUp${site}`);
    assert.equal(at(told, 'Here').length, KEPT);
    assert.equal(at(told, 'There').length, 2, 'another site has places of its own');
    assert.deepEqual(
      at(told, 'Here').map((s) => s.suppressed),
      [1000 - KEPT, 0, 0, 0],
    );
    assert.deepEqual(
      at(told, 'There').map((s) => s.suppressed),
      [0, 0],
    );
    assert.ok(
      told.every((s, i) => i === 0 || s.time >= (told[i - 1]?.time ?? 0n)),
      'oldest first',
    );

    // Again in the next cycles, which use other places.
    for (let cycle = 0; cycle < 3; cycle++) {
      await program.lookUp({ key: 40, count: 10 });
      const next = await read();
      assert.equal(next.length, KEPT);
      assert.equal(next[0]?.suppressed, 10 - KEPT);
    }
    assert.deepEqual(await read(), [], 'nothing is told twice');
    await program.lookUp({ key: 40, count: 1 });
    const { spikes, observed } = await stop();
    assert.equal(rest().length, 1, 'the end tells of the last ones');
    assert.equal(spikes?.seen, 1000 + 2 + 30 + 1);
    assert.deepEqual(spikes?.suppressed, { rate_limit: 1000 - KEPT + 3 * (10 - KEPT), no_memory: 0 });
    assert.equal(spikes?.latest.length, KEPT + 2 + 3 * KEPT + 1);
    assert.equal(observed, 1033);
  },
);

const CPUS = allowedCpus();

test('spikes with a trace are told before others', { ...LONG, skip: CPUS.length < 2 }, async (context) => {
  const { program, read } = await observe(context, { limit: 16 });
  // Each CPU keeps four, and five are too many for one site.
  program.moveTo(CPUS[0] ?? 0);
  for (let i = 0; i < KEPT; i++) {
    await program.lookUp({ key: 60 });
  }
  program.moveTo(CPUS[1] ?? 0);
  await program.lookUp({ key: 20, traceId: traceId(1), spanId: spanId(1) });
  const told = await read();
  assert.deepEqual(
    told.map((spike) => spike.keyComparisons),
    [61, 61, 61, 21],
  );
  assert.deepEqual([told[3]?.traceId, told[0]?.suppressed], [traceId(1), 1]);
});

test(
  'a relative limit: times the mean of the lookups before, after a hundred of them',
  LONG,
  async (context) => {
    const { program, read } = await observe(context, { factor: 5 });
    program.moveTo(CPUS[0] ?? 0);
    await program.lookUp({ key: 3, count: 99 });
    await program.lookUp({ key: 69 });
    assert.deepEqual(await read(), [], '99 lookups before');
    // Their mean is 466 / 100; five times that is 23.3.
    await program.lookUp({ key: 22 });
    assert.deepEqual(await read(), [], '23 comparisons');
    // 489 / 101; five times that is 24.2.
    await program.lookUp({ key: 24 });
    const [spike, ...more] = await read();
    assert.deepEqual(more, []);
    assert.deepEqual([spike?.keyComparisons, spike?.keyComparisonsLimit], [25, 24]);
    assert.equal(spike?.probeLengthLimit, 8, 'nothing up to 8 is a spike');
  },
);

test(
  'every lookup above the limit is counted, by its probe length or by its comparisons',
  LONG,
  async (context) => {
    const shop = await startShop(context, { tracing: 'none' });
    const limit = 2;
    const told: Spike[] = [];
    const observation = await Observation.start({
      ...opened(shop.pid),
      mode: 'all',
      budget: 1,
      spikes: { threshold: { limit }, onSpikes: (spikes) => told.push(...spikes) },
    });
    await runLoad(shop, { count: 300, seconds: 2 });
    const { callSites, spikes } = await endOf(observation);
    const above = ({ bounds, counts }: Distribution) =>
      counts.reduce((sum, count, i) => sum + (i > bounds.indexOf(limit) ? count : 0), 0);
    // Half of the groups there are full of tombstones: lookups go on past them, and have nothing to compare.
    const sold = callSites.filter((site) => site.callSite.function === 'main.(*recommend).remaining');
    assert.ok(sold.every((site) => above(site.keyComparisons) === 0));
    assert.ok(told.some((spike) => spike.probeLength > limit && spike.keyComparisons <= limit));
    // Of other sites a lookup may be above the limit in both.
    const sum = (of: (probes: number, comparisons: number) => number) =>
      callSites.reduce((all, s) => all + of(above(s.probeLength), above(s.keyComparisons)), 0);
    const seen = spikes?.seen ?? 0;
    assert.ok(seen >= sum(Math.max) && seen <= sum((a, b) => a + b), `${seen} spikes`);
    assert.ok(told.every((spike) => spike.probeLength > limit || spike.keyComparisons > limit));
  },
);

test('without a threshold the program keeps nothing', LONG, async (context) => {
  const program = await Collisions.start(context);
  const target = mapped(program.pid);
  const preparation = prepare(target.binary);
  for (const spikes of [{}, { spikes: { limit: 16 } }]) {
    const lookups = await LookupProgram.load({ target, preparation, ...spikes });
    try {
      await lookups.attach();
      await program.lookUp({ key: 69, count: 100 });
      await lookups.detach();
      const { count } = await lookups.kernel.readSharedMap('spike_sites');
      assert.equal(count, 'spikes' in spikes ? 1 : 0);
    } finally {
      lookups.close();
    }
  }
});

/** The CPUs that this process may run on. */
function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
