import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { SpikeExport } from '../../src/otel/logs/export.ts';
import { targetResource } from '../../src/otel/resource/resource.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { spanId, traceId } from '../export/candidates.ts';
import { grpcEndpoint, LOGS } from '../export/pipeline.ts';
import { spike } from '../export/spikes.ts';
import { START, TARGET } from '../model/fixtures.ts';
import { checkSummary } from '../support/accounts.ts';
import { Collisions, probeLengthOf } from '../support/collisions.ts';
import { mapscope } from '../support/command.ts';
import { runLoad, startShop } from '../support/shop.ts';
import { collectorBinary } from './build.ts';
import { eventually, freePort, startCollector } from './collector.ts';
import { counted } from './otlp-json.ts';
import type { CollectedLog } from './otlp-json-logs.ts';

const LONG = { timeout: 300_000 };

before(() => collectorBinary(), { timeout: 1_800_000 });

function startExport(endpoint: string, mapImplementation: 'classic' | 'swiss' = 'swiss'): SpikeExport {
  return new SpikeExport({
    settings: { endpoint: grpcEndpoint(endpoint, 'logs'), ...LOGS },
    mapImplementation,
    resource: targetResource(TARGET, { environment: {} }),
    log: () => {},
    retry: { initialDelayMillis: 20, maxDelayMillis: 100 },
  });
}

test('spikes arrive over HTTP as well', LONG, async (context) => {
  const collector = await startCollector(context);
  const url = `${collector.httpEndpoint}/v1/logs`;
  const started = new SpikeExport({
    settings: { endpoint: { signal: 'logs', protocol: 'http/protobuf', shown: url, url }, ...LOGS },
    mapImplementation: 'swiss',
    resource: targetResource(TARGET, { environment: {} }),
    log: () => {},
  });
  started.send([spike({ traceId: traceId(1), spanId: spanId(2) }), spike()]);
  assert.equal((await started.shutdown()).problem, undefined);
  const [first] = await collector.untilLogs((logs) => logs.length === 2);
  assert.equal(first?.traceId, traceId(1));
  assert.equal(started.delivered, 2);
});

test('a spike arrives as an event: ids, time, call site, map, resource', LONG, async (context) => {
  const collector = await startCollector(context);
  const swiss = startExport(collector.endpoint);
  const classic = startExport(collector.endpoint, 'classic');
  const { traceId: _trace, spanId: _span, sampled: _sampled, parentGoroutine: _parent, ...bare } = spike();
  swiss.send([
    spike({ time: START + 123_456_789n, traceId: traceId(1), spanId: spanId(2), suppressed: 12 }),
    { ...bare, goroutine: 0, callSite: { function: 'main.f', file: '?', line: 0 }, hit: false },
    { ...bare, traceId: traceId(3) },
    spike({ sampled: false }),
  ]);
  assert.equal((await swiss.shutdown()).problem, undefined);
  assert.deepEqual([swiss.delivered, swiss.undelivered], [4, 0]);
  const [full, nameless, spanless, unsampled] = await collector.untilLogs((logs) => logs.length === 4);
  assert.ok(full && nameless && spanless && unsampled);
  const { observedTimeUnixNano: _, resource, ...record } = full;
  assert.equal(resource['service.name'], 'shop');
  assert.deepEqual(record, {
    scope: 'mapscope',
    eventName: 'gomap.lookup.spike',
    severityNumber: 13,
    severityText: 'WARN',
    timeUnixNano: START + 123_456_789n,
    traceId: traceId(1),
    spanId: spanId(2),
    flags: 1,
    body:
      'A lookup of example.com/shop/cart.(*Store).Find (/src/shop/cart/store.go:42) in a map[string]int of 100 entries ' +
      'visited 9 groups, compared 70 keys and found its own.',
    attributes: {
      'gomap.type': 'map[string]int',
      'gomap.lookup.result': 'hit',
      'code.function.name': 'example.com/shop/cart.(*Store).Find',
      'code.file.path': '/src/shop/cart/store.go',
      'code.line.number': 42,
      'gomap.goroutine.id': 991,
      'gomap.goroutine.parent_id': 17,
      'gomap.lookup.probe_length': 9,
      'gomap.spike.probe_length_limit': 32,
      'gomap.lookup.key_comparisons': 70,
      'gomap.spike.key_comparisons_limit': 33,
      'gomap.spike.suppressed': 12,
      'gomap.map.entries': 100,
      'gomap.map.buckets': 16,
      'gomap.map.home_bucket': 5,
      'gomap.map.slots': 128,
      'gomap.map.used_slots': 99,
      'gomap.map.tombstones': 3,
    },
  });
  assert.deepEqual([nameless.traceId, nameless.spanId, nameless.flags], ['', '', 0]);
  for (const absent of [
    'gomap.goroutine.id',
    'code.file.path',
    'code.line.number',
    'gomap.spike.suppressed',
  ]) {
    assert.equal(absent in nameless.attributes, false, absent);
  }
  assert.deepEqual([spanless.traceId, spanless.spanId, spanless.flags], [traceId(3), '', 0]);
  assert.deepEqual([unsampled.traceId, unsampled.flags], [traceId(1), 0]);

  classic.send([spike()]);
  await classic.shutdown();
  const { attributes = {} } = (await collector.untilLogs((logs) => logs.length === 5))[4] ?? {};
  assert.deepEqual([attributes['gomap.map.overflow_buckets'], attributes['gomap.map.growing']], [0, false]);
  assert.equal('gomap.map.tombstones' in attributes, false);
});

test('spikes wait for a collector that comes late', LONG, async (context) => {
  const port = await freePort();
  const spikes = startExport(`http://127.0.0.1:${port}`);
  spikes.send([spike(), spike()]);
  const collector = await startCollector(context, port);
  await eventually(async () => (spikes.delivered === 2 ? true : undefined));
  spikes.send([spike()]);
  assert.deepEqual(await spikes.shutdown(), { delivered: true, items: 1 });
  await collector.untilLogs((logs) => logs.length === 3);
  assert.equal(spikes.undelivered, 0);
});

/** Runs `mapscope attach` with a collector until the target ends; then its report can be read. */
function attach(context: TestContext, pid: number, endpoint: string, more: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-spikes-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const output = join(folder, 'report.json');
  const options = ['--mode', 'all', '--format', 'json', '--output', output, '--otlp-logs-endpoint', endpoint];
  const env = { OTEL_BLRP_SCHEDULE_DELAY: '50' };
  const command = mapscope(['attach', '--pid', `${pid}`, ...options, ...more], { env });
  return async (): Promise<Summary> => {
    const { status, stderr } = await command;
    assert.equal(status, 0, stderr);
    return checkSummary(JSON.parse(readFileSync(output, 'utf8')));
  };
}

test(
  'from the lookup to the event: the goroutine that paid, a few per site, all counted',
  LONG,
  async (context) => {
    const collector = await startCollector(context);
    const program = await Collisions.start(context);
    const report = attach(context, program.pid, collector.endpoint, ['--otlp-endpoint', collector.endpoint]);
    // The command is attached once a spike has arrived.
    const first = async () => {
      await program.lookUp({ site: 'there', key: 60 });
      return (await collector.logs()).length > 0 ? true : undefined;
    };
    await eventually(first);
    const truth = new Map<string, { goroutine: number; parent: number; spanId: string }>();
    for (let n = 1; n <= 40; n++) {
      const ids = { traceId: traceId(n), spanId: spanId(n) };
      const maker = await program.lookUp({ key: 69, count: 25, ...ids });
      truth.set(ids.traceId, { ...maker, spanId: ids.spanId });
      await program.lookUp({ key: 31 });
    }
    await program.end();
    const { spikes, callSites } = await report();
    assert.ok(spikes);
    const logs = await collector.untilLogs((all) => all.length >= spikes.delivered);
    assert.equal(logs.length, spikes.delivered);

    const here = logs.filter((log) => log.attributes['code.function.name'] === 'main.lookUpHere');
    assert.ok(here.length > 0);
    for (const { traceId: trace, spanId: span, attributes } of here) {
      const { goroutine, parent, spanId: expected } = truth.get(trace) ?? {};
      assert.equal(span, expected);
      assert.deepEqual(
        [attributes['gomap.goroutine.id'], attributes['gomap.goroutine.parent_id']],
        [goroutine, parent],
      );
      assert.equal(attributes['gomap.lookup.key_comparisons'], 70);
      assert.equal(attributes['gomap.lookup.probe_length'], probeLengthOf(69));
      assert.equal(attributes['gomap.spike.key_comparisons_limit'], 32);
      assert.equal(attributes['gomap.map.entries'], 70);
    }
    // 32 comparisons are at the limit: of this site the 1,000 lookups of key 69 are spikes, and no more.
    assert.ok(here.length < 100, `${here.length} events of 1,000 lookups`);
    assert.equal(toldOf(here), 1000);
    const lookupsOf = (name: string) => callSites.find((one) => one.function === `main.${name}`)?.lookups;
    assert.equal(lookupsOf('lookUpHere'), 1040);
    assert.equal(toldOf(logs), 1000 + (lookupsOf('lookUpThere') ?? 0));
    assert.equal(spikes.seen, toldOf(logs));
    assert.equal(spikes.seen, spikes.delivered + spikes.suppressed);
    assert.deepEqual(Object.keys(spikes.suppressedByReason), ['rate_limit', 'no_memory', 'not_delivered']);
    assert.equal(spikes.latest[0]?.keyComparisons, 70);
    const metrics = await collector.until((all) => counted(all.at(-1), 'mapscope.spikes') === spikes.seen);
    assert.equal(counted(metrics.at(-1), 'mapscope.spikes.suppressed'), spikes.suppressed);
  },
);

/** Spikes that events are of, or tell of as suppressed. */
function toldOf(logs: readonly CollectedLog[]): number {
  return logs.reduce((sum, log) => sum + 1 + Number(log.attributes['gomap.spike.suppressed'] ?? 0), 0);
}

const SERVICES = [
  ['1.23.12', 'labels'],
  ['local', 'labels'],
  ['local', 'sdk'],
] as const;

test(
  'the slow endpoint of a service: each event has the trace of a request that made the lookup',
  LONG,
  async (context) => {
    for (const [version, tracing] of SERVICES) {
      const collector = await startCollector(context);
      const shop = await startShop(context, { tracing, version });
      const report = attach(context, shop.pid, collector.endpoint);
      await eventually(async () => {
        await runLoad(shop, { seconds: 1, rate: 100 });
        return (await collector.logs()).length > 0 ? true : undefined;
      });
      const truth = await shop.stop();
      const { spikes } = await report();
      const logs = await collector.untilLogs((all) => all.length >= (spikes?.delivered ?? 0));
      assert.ok(logs.length >= 4, `${logs.length} events`);
      for (const { traceId: trace, spanId: span, flags, timeUnixNano, attributes } of logs) {
        const [name, line] = [attributes['code.function.name'], attributes['code.line.number']];
        const piece = truth.find(
          (one) =>
            one.goroutine === attributes['gomap.goroutine.id'] &&
            one.function === name &&
            one.line === line &&
            // The clocks are compared to a millisecond.
            one.start - 2_000_000n <= timeUnixNano &&
            timeUnixNano <= one.end + 2_000_000n,
        );
        assert.ok(piece, `${name} on goroutine ${attributes['gomap.goroutine.id']} at ${timeUnixNano}`);
        assert.equal(piece.endpoint, '/recommend');
        assert.deepEqual([trace, span], [piece.traceId, piece.spanId]);
        // Labels do not tell whether the span is sampled; all are.
        assert.equal(flags, tracing === 'sdk' ? 1 : 0);
      }
    }
  },
);
