import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otlpSettings } from '../../src/export/otlp-config.ts';
import { OtlpConfigurationError } from '../../src/export/otlp-environment.ts';

const HERE = 'http://127.0.0.1:4317';

/** The settings, with the sentences said on the way. */
function settings(option: string | undefined, environment: Record<string, string> = {}) {
  const said: string[] = [];
  const result = otlpSettings(option, environment, (_level, sentence) => said.push(sentence));
  return { result, said };
}

test('nothing configured, nothing exported', () => {
  assert.equal(settings(undefined).result, undefined);
  assert.equal(settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: '  ' }).result, undefined);
});

test('the option wins over the metrics variable, and that over the general one', () => {
  const general = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://general:4317' };
  const both = { ...general, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics:4317' };
  assert.equal(settings(undefined, general).result?.endpoint, 'http://general:4317');
  assert.equal(settings(undefined, both).result?.endpoint, 'http://metrics:4317');
  assert.equal(settings(HERE, both).result?.endpoint, HERE);
});

test('the variables can switch the export off, but not against the option', () => {
  for (const off of [{ OTEL_METRICS_EXPORTER: 'none' }, { OTEL_SDK_DISABLED: 'TRUE' }]) {
    assert.equal(settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: HERE, ...off }).result, undefined);
    assert.equal(settings(HERE, off).result?.endpoint, HERE);
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

test('endpoints that cannot work are refused with a sentence', () => {
  for (const endpoint of ['127.0.0.1:4317', 'http://', 'http://a b', 'ftp://x', '']) {
    assert.throws(() => settings(endpoint), OtlpConfigurationError, endpoint);
  }
  assert.throws(
    () => settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://:x' }),
    OtlpConfigurationError,
  );
});

test('TLS to an IP address is refused, because no connection could be made', () => {
  assert.throws(() => settings('https://127.0.0.1:4317'), /host name/);
  assert.throws(() => settings('https://[::1]:4317'), /host name/);
  assert.equal(settings('https://localhost:4317').result?.endpoint, 'https://localhost:4317');
});

test('in the environment an endpoint may come without a scheme', () => {
  const { result } = settings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' });
  assert.equal(result?.endpoint, 'collector:4317');
});

test('another protocol than gRPC is said to be ignored', () => {
  assert.equal(settings(HERE, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).said.length, 0);
  assert.match(settings(HERE, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }).said[0] ?? '', /gRPC/);
});
