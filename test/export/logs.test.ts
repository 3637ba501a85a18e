import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLevel } from '../../src/base/log.ts';
import { SpikeExport } from '../../src/otel/logs/export.ts';
import { spikeSentence } from '../../src/otel/logs/spike-record.ts';
import { targetResource } from '../../src/otel/resource/resource.ts';
import { OtlpConfigurationError } from '../../src/otel/settings/environment.ts';
import { type EndpointOptions, logsSettings } from '../../src/otel/settings/logs-settings.ts';
import { TARGET } from '../model/fixtures.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { grpcEndpoint, inEnvironment, LOGS } from './pipeline.ts';
import { spike } from './spikes.ts';

const HERE = 'http://127.0.0.1:4317';
const THERE = 'http://there:4317';
const OWN = 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT';
const GENERAL = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const EXPORTER = 'OTEL_LOGS_EXPORTER';

/** The settings, with the sentences said on the way. */
function settings(options: EndpointOptions, environment: Record<string, string> = {}) {
  const said: string[] = [];
  const result = inEnvironment(environment, () =>
    logsSettings(options, (_level, sentence) => said.push(sentence)),
  );
  return { result, said };
}

const endpoint = (options: EndpointOptions, environment: Record<string, string> = {}) =>
  settings(options, environment).result?.endpoint.shown;

test('nobody is told of spikes unless a receiver of logs is named', () => {
  assert.equal(endpoint({}), undefined);
  assert.equal(endpoint({ endpoint: HERE }), undefined, 'it may take metrics only');
  assert.equal(endpoint({}, { [GENERAL]: HERE, [OWN]: ' ' }), undefined);
  assert.equal(endpoint({}, { [OWN]: HERE }), HERE);
  assert.equal(endpoint({ logsEndpoint: HERE }, { [OWN]: THERE }), HERE);
  assert.equal(endpoint({}, { [EXPORTER]: 'otlp' }), 'http://localhost:4317');
  assert.equal(endpoint({}, { [EXPORTER]: 'OTLP', [GENERAL]: HERE }), HERE);
  assert.equal(endpoint({ endpoint: THERE }, { [EXPORTER]: 'otlp', [GENERAL]: HERE }), THERE);
  assert.equal(endpoint({ endpoint: THERE }, { [EXPORTER]: 'otlp', [OWN]: HERE }), HERE);
});

test('the variables can switch events off, but not against the option', () => {
  for (const off of [{ [EXPORTER]: 'none' }, { OTEL_SDK_DISABLED: 'true' }]) {
    assert.equal(endpoint({}, { [OWN]: HERE, ...off }), undefined);
    assert.equal(endpoint({ logsEndpoint: HERE }, off), HERE);
  }
});

test('periods are those of the batch processor', () => {
  const periods = (environment: Record<string, string>) => {
    const { delayMillis, timeoutMillis } = settings({ logsEndpoint: HERE }, environment).result ?? {};
    return [delayMillis, timeoutMillis];
  };
  assert.deepEqual(periods({}), [1000, 30_000]);
  assert.deepEqual(periods({ OTEL_BLRP_SCHEDULE_DELAY: '50', OTEL_BLRP_EXPORT_TIMEOUT: '2000' }), [50, 2000]);
});

test('what makes no sense is said', () => {
  assert.throws(
    () => settings({ logsEndpoint: '127.0.0.1:4317' }),
    (error) => error instanceof OtlpConfigurationError && error.message.startsWith('--otlp-logs-endpoint '),
  );
  assert.throws(() => settings({}, { [OWN]: 'ftp://there' }), OtlpConfigurationError);
  const { said } = settings({}, { [OWN]: HERE, OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/xml' });
  assert.match(
    said.join(),
    /^OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http\/xml is ignored: it must be one of grpc, http/,
  );
});

test('a spike in a sentence', () => {
  assert.equal(
    spikeSentence(spike(), 'swiss'),
    'A lookup of example.com/shop/cart.(*Store).Find (/src/shop/cart/store.go:42) in a map[string]int of 100 entries ' +
      'visited 9 groups, compared 70 keys and found its own.',
  );
  const unknown = spike({ callSite: { function: '?', file: '?', line: 0 }, hit: false, keyComparisons: 1 });
  assert.equal(
    spikeSentence(unknown, 'classic'),
    'A lookup of ? in a map[string]int of 100 entries visited 9 buckets, compared 1 key and found nothing.',
  );
});

function startExport(port: number) {
  const said: [LogLevel, string][] = [];
  const started = new SpikeExport({
    settings: {
      endpoint: grpcEndpoint(`http://127.0.0.1:${port}`, 'logs'),
      ...LOGS,
      delayMillis: 5,
    },
    mapImplementation: 'swiss',
    resource: targetResource(TARGET, { environment: {} }),
    log: (level, sentence) => said.push([level, sentence]),
    retry: { initialDelayMillis: 5, maxDelayMillis: 20 },
  });
  return { started, said };
}

test('a receiver that is not there: every spike is counted as not delivered, and the end says why', async () => {
  const { port, close } = await startReceiver();
  await close();
  const { started } = startExport(port);
  // More than may wait at a time.
  started.send(Array.from({ length: 3000 }, () => spike()));
  assert.equal(started.undelivered, 3000 - 2048);
  const result = await started.shutdown(1500);
  assert.equal(result.delivered, false);
  assert.match(
    result.problem ?? '',
    /^Spike events do not reach http:\/\/127\.0\.0\.1:\d+: it cannot be reached \(connect ECONNREFUSED [\d.:]+\)\.$/,
  );
  assert.deepEqual([started.delivered, started.undelivered], [0, 3000]);
});

test('a receiver of metrics only says what it is', async (context) => {
  const receiver = await startReceiver();
  context.after(() => receiver.close());
  const { started } = startExport(receiver.port);
  started.send([spike()]);
  const { problem } = await started.shutdown();
  assert.match(problem ?? '', /: it does not receive spike events over OTLP\/gRPC \(/);
  assert.equal(started.undelivered, 1);
});

test('an end without spikes is no failure', async () => {
  const { started, said } = startExport(9);
  assert.deepEqual(await started.shutdown(), { delivered: true, items: 0 });
  assert.deepEqual(said, []);
});
