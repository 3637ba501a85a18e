// The table of OTEL_* variables says of all of them what is true of the code.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogSender, createMetricSender } from '../../src/otel/otlp/exporter.ts';
import { targetResource } from '../../src/otel/resource/resource.ts';
import { resolveEndpoint } from '../../src/otel/settings/endpoint.ts';
import { logsSettings } from '../../src/otel/settings/logs-settings.ts';
import { otlpSettings } from '../../src/otel/settings/metrics-settings.ts';
import { sayWhatIsRefused, VARIABLES } from '../../src/otel/settings/variables.ts';
import { TARGET } from '../model/fixtures.ts';

/** Those that the specification (1.60) lists for SDKs and for the OTLP exporter, without what is of traces and of propagation. */
const OF_EACH_SIGNAL = [
  'ENDPOINT',
  'INSECURE',
  'CERTIFICATE',
  'CLIENT_KEY',
  'CLIENT_CERTIFICATE',
  'HEADERS',
  'COMPRESSION',
  'TIMEOUT',
  'PROTOCOL',
];
const SPECIFIED = [
  ...['SDK_DISABLED', 'ENTITIES', 'RESOURCE_ATTRIBUTES', 'SERVICE_NAME', 'LOG_LEVEL', 'CONFIG_FILE'],
  ...['BLRP_SCHEDULE_DELAY', 'BLRP_EXPORT_TIMEOUT', 'BLRP_MAX_QUEUE_SIZE', 'BLRP_MAX_EXPORT_BATCH_SIZE'],
  ...['ATTRIBUTE_VALUE_LENGTH_LIMIT', 'ATTRIBUTE_COUNT_LIMIT'],
  ...['LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'LOGRECORD_ATTRIBUTE_COUNT_LIMIT'],
  ...['EXPORTER_PROMETHEUS_HOST', 'EXPORTER_PROMETHEUS_PORT', 'METRICS_EXPORTER', 'LOGS_EXPORTER'],
  ...['METRICS_EXEMPLAR_FILTER', 'METRIC_EXPORT_INTERVAL', 'METRIC_EXPORT_TIMEOUT'],
  ...['EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'],
  ...['EXPORTER_OTLP', 'EXPORTER_OTLP_METRICS', 'EXPORTER_OTLP_LOGS'].flatMap((prefix) =>
    OF_EACH_SIGNAL.map((what) => `${prefix}_${what}`),
  ),
].map((name) => `OTEL_${name}`);

/** Which variables are looked at while something is done, with these set. */
async function readDuring(
  variables: Record<string, string>,
  work: () => Promise<void>,
): Promise<Set<string>> {
  const before = process.env;
  const read = new Set<string>();
  process.env = new Proxy(variables, {
    get: (target, name) => {
      read.add(String(name));
      return Reflect.get(target, name);
    },
  });
  try {
    await work();
  } finally {
    process.env = before;
  }
  return new Set([...read].filter((name) => name.startsWith('OTEL_')));
}

async function everything(): Promise<void> {
  const silent = (): void => {};
  otlpSettings(undefined, silent);
  logsSettings({}, silent);
  sayWhatIsRefused(silent);
  targetResource(TARGET);
  const given = { text: 'localhost:1', from: 'OTEL_EXPORTER_OTLP_ENDPOINT', ownPath: false };
  const sent = (send: (done: () => void) => void) => new Promise<void>((resolve) => send(resolve));
  const metrics = createMetricSender(resolveEndpoint(given, 'metrics', silent), silent);
  await sent((done) => metrics.export({ resource: targetResource(TARGET), scopeMetrics: [] }, done));
  await metrics.shutdown();
  const logs = createLogSender(resolveEndpoint(given, 'logs', silent));
  await sent((done) => logs.export([], done));
  await logs.shutdown();
}

test('all that the specification lists are in the table', () => {
  const names = VARIABLES.map(({ name }) => name);
  assert.deepEqual(
    SPECIFIED.filter((name) => !names.includes(name)),
    [],
  );
  assert.equal(new Set(names).size, names.length);
});

test('all that is honoured is read, and all that is read is in the table', { timeout: 60_000 }, async () => {
  const read = new Set<string>();
  for (const protocol of ['grpc', 'http/protobuf']) {
    const variables = {
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
    };
    for (const name of await readDuring(variables, everything)) {
      read.add(name);
    }
  }
  const names = VARIABLES.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !read.has(name)),
    [],
    'in the table, not read',
  );
  // Customs of OpenTelemetry's operator, not of the specification, have their place in the resource.
  const others = [...read].filter(
    (name) => !names.includes(name) && !/^OTEL_RESOURCE_ATTRIBUTES_/.test(name),
  );
  assert.deepEqual(others, [], 'read, not in the table');
});

test('what is refused is said by name', () => {
  const said: string[] = [];
  const before = process.env;
  process.env = { OTEL_CONFIG_FILE: 'otel.yaml', OTEL_LOG_LEVEL: '' };
  try {
    sayWhatIsRefused((_level, sentence) => said.push(sentence));
  } finally {
    process.env = before;
  }
  assert.deepEqual(said, [
    'OTEL_CONFIG_FILE is not used: mapscope has a configuration of its own, --config.',
  ]);
});
