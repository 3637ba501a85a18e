import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpConfigurationError } from '../../src/otel/settings/environment.ts';
import { otlpSettings } from '../../src/otel/settings/metrics-settings.ts';
import { inEnvironment } from './pipeline.ts';

const HERE = 'http://127.0.0.1:4317';

/** The settings, with the sentences said on the way. */
function settings(option: string | undefined, environment: Record<string, string> = {}) {
  const said: string[] = [];
  const result = inEnvironment(environment, () =>
    otlpSettings(option, (_level, sentence) => said.push(sentence)),
  );
  return { result, said };
}

test('nothing configured, nothing exported', () => {
  assert.equal(settings(undefined).result, undefined);
  assert.equal(settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: '  ' }).result, undefined);
});

test('the option wins over the metrics variable, and that over the general one', () => {
  const general = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://general:4317' };
  const both = { ...general, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics:4317' };
  assert.equal(settings(undefined, general).result?.endpoint.shown, 'http://general:4317');
  assert.equal(settings(undefined, both).result?.endpoint.shown, 'http://metrics:4317');
  assert.equal(settings(HERE, both).result?.endpoint.shown, HERE);
});

test('the variables can switch the export off, but not against the option', () => {
  for (const off of [{ OTEL_METRICS_EXPORTER: 'none' }, { OTEL_SDK_DISABLED: 'TRUE' }]) {
    assert.equal(settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: HERE, ...off }).result, undefined);
    assert.equal(settings(HERE, off).result?.endpoint.shown, HERE);
  }
});

test('interval and timeout: the defaults of the specification, or the variables', () => {
  const periods = (environment: Record<string, string>) => {
    const { intervalMillis, timeoutMillis } = settings(HERE, environment).result ?? {};
    return [intervalMillis, timeoutMillis];
  };
  assert.deepEqual(periods({}), [60_000, 30_000]);
  assert.deepEqual(
    periods({ OTEL_METRIC_EXPORT_INTERVAL: '10000', OTEL_METRIC_EXPORT_TIMEOUT: '2000' }),
    [10_000, 2000],
  );
});

test('exemplar filter and histogram aggregation: the defaults of the specification, or the variables', () => {
  const chosen = (environment: Record<string, string>) => {
    const { result, said } = settings(HERE, environment);
    return [result?.exemplarFilter, result?.histogramAggregation, said.length];
  };
  const FILTER = 'OTEL_METRICS_EXEMPLAR_FILTER';
  const AGGREGATION = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION';
  assert.deepEqual(chosen({}), ['trace_based', 'explicit', 0]);
  assert.deepEqual(chosen({ [FILTER]: '', [AGGREGATION]: '' }), ['trace_based', 'explicit', 0]);
  assert.deepEqual(chosen({ [FILTER]: 'always_on' }), ['always_on', 'explicit', 0]);
  assert.deepEqual(chosen({ [FILTER]: 'ALWAYS_OFF' }), ['always_off', 'explicit', 0]);
  assert.deepEqual(chosen({ [AGGREGATION]: 'explicit_bucket_histogram' }), ['trace_based', 'explicit', 0]);
  assert.deepEqual(chosen({ [AGGREGATION]: 'Base2_Exponential_Bucket_Histogram' }), [
    'trace_based',
    'exponential',
    0,
  ]);
  assert.deepEqual(chosen({ [FILTER]: 'some', [AGGREGATION]: 'toString' }), ['trace_based', 'explicit', 2]);
  assert.match(settings(HERE, { [FILTER]: 'some' }).said[0] ?? '', /trace_based, always_on, always_off/);
});

test('a senseless period is said and ignored', () => {
  for (const value of ['soon', '-1', '0', '1e12', 'NaN']) {
    const { result, said } = settings(HERE, { OTEL_METRIC_EXPORT_INTERVAL: value });
    assert.equal(result?.intervalMillis, 60_000);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /OTEL_METRIC_EXPORT_INTERVAL/);
  }
});

test('endpoints that cannot work are refused, each with one sentence that says what to change', () => {
  const refused = (endpoint: string, environment: Record<string, string> = {}): string => {
    try {
      settings(endpoint, environment);
    } catch (error) {
      assert.ok(error instanceof OtlpConfigurationError);
      return error.message;
    }
    return 'accepted';
  };
  const SCHEME = 'must start with http:// or, for TLS, https://';
  for (const [endpoint, sentence] of [
    ['127.0.0.1:4317', `${SCHEME}, as in http://127.0.0.1:4317`],
    ['', `${SCHEME}, as in http://127.0.0.1:4317`],
    ['grpc://there:4317', `${SCHEME}, over gRPC as well`],
    ['grpcs://there:4317', `${SCHEME}, over gRPC as well`],
    ['dns:///there:4317', 'must be of the form http://host:port: names are looked up in DNS in any case'],
    ['unix://run/otel.sock', 'must give the whole path of a socket, as in unix:///run/otel.sock'],
    ['ftp://x', 'must be an http:// or https:// URL'],
    ['http://', 'must be a URL like http://127.0.0.1:4317'],
    ['http://a b', 'must be a URL like http://127.0.0.1:4317'],
    ['http://there:x', 'must be a URL like http://127.0.0.1:4317'],
    [
      'http://user:secret@there',
      'must hold no user name or password: OTEL_EXPORTER_OTLP_HEADERS can, as in authorization=Basic%20...',
    ],
    [
      'https://127.0.0.1:4317',
      'must have a host name instead of an IP address, for TLS over gRPC, as in https://localhost:4317',
    ],
    [
      'https://[::1]:4317',
      'must have a host name instead of an IP address, for TLS over gRPC, as in https://localhost:4317',
    ],
  ] as const) {
    assert.equal(
      refused(endpoint),
      `--otlp-endpoint ${sentence}, not "${endpoint.replace(/user:secret(?=@)/, '***')}".`,
    );
  }
  assert.equal(
    refused('unix:///run/otel.sock', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }),
    '--otlp-endpoint must be an http:// or https:// URL: only gRPC goes through a socket, not "unix:///run/otel.sock".',
  );
  assert.throws(
    () => settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://:x' }),
    /OTEL_EXPORTER_OTLP_ENDPOINT must be a URL like/,
  );
  for (const fine of [
    'https://localhost:4317',
    'http://[::1]:4317',
    'unix:///run/otel.sock',
    'HTTP://there:4317',
  ]) {
    assert.equal(settings(fine).result?.endpoint.shown, fine);
  }
});

test('in the environment an endpoint may come without a scheme', () => {
  const url = (environment: Record<string, string>) =>
    settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', ...environment }).result?.endpoint
      .url;
  assert.equal(url({}), 'https://collector:4317');
  assert.equal(url({ OTEL_EXPORTER_OTLP_INSECURE: 'true' }), 'http://collector:4317');
  assert.equal(
    url({ OTEL_EXPORTER_OTLP_INSECURE: 'true', OTEL_EXPORTER_OTLP_METRICS_INSECURE: 'false' }),
    'https://collector:4317',
  );
});

test('the protocol: as the variables say, else as is usual on the port', () => {
  const chosen = (option: string, environment: Record<string, string> = {}) => {
    const { result, said } = settings(option, environment);
    return [result?.endpoint.protocol, result?.endpoint.url, said.length];
  };
  const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL';
  const OWN = 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL';
  const WITH_PATH = 'http://there:4318/v1/metrics';
  assert.deepEqual(chosen('http://there:4317'), ['grpc', 'http://there:4317', 0]);
  assert.deepEqual(chosen('http://there:4318'), ['http/protobuf', WITH_PATH, 0]);
  assert.deepEqual(chosen(WITH_PATH), ['http/protobuf', WITH_PATH, 0]);
  assert.deepEqual(chosen('https://there/otlp'), ['http/protobuf', 'https://there/otlp/v1/metrics', 0]);
  assert.deepEqual(chosen('http://there:4318', { [PROTOCOL]: 'grpc' }), ['grpc', 'http://there:4318', 0]);
  assert.deepEqual(chosen('http://there', { [PROTOCOL]: 'grpc', [OWN]: 'http/protobuf' }), [
    'http/protobuf',
    'http://there/v1/metrics',
    0,
  ]);
  assert.deepEqual(chosen('https://10.0.0.5', { [PROTOCOL]: 'http/protobuf' }), [
    'http/protobuf',
    'https://10.0.0.5/v1/metrics',
    0,
  ]);
  assert.deepEqual(chosen('http://there:4318', { [PROTOCOL]: 'http/json' }), ['http/protobuf', WITH_PATH, 1]);
  assert.deepEqual(chosen('http://there:4317', { [PROTOCOL]: 'http' }), ['grpc', 'http://there:4317', 1]);
});

test("a variable of metrics only is meant as it is, the general one is where to look for each signal's path", () => {
  const url = (environment: Record<string, string>) => settings(undefined, environment).result?.endpoint.url;
  const http = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };
  const base = 'http://there:9090/api/';
  assert.equal(url({ ...http, OTEL_EXPORTER_OTLP_ENDPOINT: base }), `${base}v1/metrics`);
  assert.equal(url({ ...http, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: base }), base);
});

test('an exporter that is chosen without an endpoint sends to the usual place, others are refused', () => {
  const chosen = (environment: Record<string, string>) => {
    const { result, said } = settings(undefined, environment);
    return [result?.endpoint.url, ...said];
  };
  const EXPORTER = 'OTEL_METRICS_EXPORTER';
  assert.deepEqual(chosen({ [EXPORTER]: 'otlp' }), ['http://localhost:4317']);
  assert.deepEqual(chosen({ [EXPORTER]: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }), [
    'http://localhost:4318/v1/metrics',
  ]);
  assert.deepEqual(chosen({ [EXPORTER]: 'prometheus', OTEL_EXPORTER_OTLP_ENDPOINT: HERE }), [
    undefined,
    'OTEL_METRICS_EXPORTER=prometheus: mapscope cannot export to prometheus; it exports only over OTLP, and so not at all.',
  ]);
  assert.deepEqual(chosen({ [EXPORTER]: 'console,otlp', OTEL_EXPORTER_OTLP_ENDPOINT: HERE }), [
    HERE,
    'OTEL_METRICS_EXPORTER=console,otlp: mapscope cannot export to console; it exports only over OTLP.',
  ]);
});
