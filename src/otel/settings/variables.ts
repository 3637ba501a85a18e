import type { Log } from '../../base/log.ts';
import { text } from './environment.ts';

/** A variable of OpenTelemetry's specification that concerns metrics or logs. */
export interface Variable {
  readonly name: string;
  /** Whether it does something here. One that does not, but is set, is said by name. */
  readonly honoured: boolean;
  /** What it does, or why it does nothing. */
  readonly meaning: string;
}

const HONOURED = (name: string, meaning: string): Variable => ({ name, honoured: true, meaning });
const REFUSED = (name: string, meaning: string): Variable => ({ name, honoured: false, meaning });

/** The general variable and those of the two signals, which win over it. */
function ofEachSignal(what: string, meaning: string): Variable[] {
  return [
    HONOURED(`OTEL_EXPORTER_OTLP_${what}`, meaning),
    HONOURED(`OTEL_EXPORTER_OTLP_METRICS_${what}`, 'the same for metrics, wins over it'),
    HONOURED(`OTEL_EXPORTER_OTLP_LOGS_${what}`, 'the same for logs, wins over it'),
  ];
}

/** All of them: docs/otlp-variables.md is made of it. */
export const VARIABLES: readonly Variable[] = [
  HONOURED('OTEL_SDK_DISABLED', '`true`: nothing is exported, unless an option says where to'),
  HONOURED('OTEL_METRICS_EXPORTER', '`otlp`, or `none`; other exporters are refused'),
  HONOURED(
    'OTEL_LOGS_EXPORTER',
    '`otlp`: spikes go to the general endpoint, too; or `none`; others are refused',
  ),
  HONOURED('OTEL_SERVICE_NAME', "the target's `service.name`; the target's own variable wins"),
  HONOURED('OTEL_RESOURCE_ATTRIBUTES', 'attributes of the target, see [otlp.md](otlp.md#whose-identity)'),
  ...ofEachSignal('ENDPOINT', 'where to; over HTTP a general one gets `/v1/metrics` or `/v1/logs` appended'),
  ...ofEachSignal(
    'PROTOCOL',
    '`grpc` or `http/protobuf`; by default HTTP on port 4318 or with a path, else gRPC',
  ),
  ...ofEachSignal('INSECURE', '`true`: no TLS for endpoints without a scheme'),
  ...ofEachSignal(
    'CERTIFICATE',
    'file with the authorities that may vouch for the receiver, read again when it changes',
  ),
  ...ofEachSignal('CLIENT_KEY', 'file with the key of the client certificate, read again when it changes'),
  ...ofEachSignal('CLIENT_CERTIFICATE', 'file with the client certificate, read again when it changes'),
  ...ofEachSignal('HEADERS', 'headers of each request'),
  ...ofEachSignal('COMPRESSION', '`gzip` or `none`'),
  ...ofEachSignal('TIMEOUT', 'time of one request in milliseconds (10,000)'),
  HONOURED('OTEL_METRIC_EXPORT_INTERVAL', 'time between two exports in milliseconds (60,000)'),
  HONOURED('OTEL_METRIC_EXPORT_TIMEOUT', 'time of one export with all its attempts in milliseconds (30,000)'),
  HONOURED('OTEL_METRICS_EXEMPLAR_FILTER', '`trace_based`, `always_on` or `always_off`'),
  HONOURED('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', '`cumulative`, `delta` or `lowmemory`'),
  HONOURED(
    'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
    '`explicit_bucket_histogram` or `base2_exponential_bucket_histogram`',
  ),
  HONOURED(
    'OTEL_BLRP_SCHEDULE_DELAY',
    'time that spikes are collected for before they are sent, in milliseconds (1,000)',
  ),
  HONOURED(
    'OTEL_BLRP_EXPORT_TIMEOUT',
    'time of one export of spikes with all its attempts, in milliseconds (30,000)',
  ),
  HONOURED('OTEL_BLRP_MAX_QUEUE_SIZE', 'spikes that may wait to be sent (2,048)'),
  HONOURED('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 'spikes in one request (512)'),
  HONOURED(
    'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    'longest attribute value of spike events; metrics have no such limit',
  ),
  HONOURED('OTEL_ATTRIBUTE_COUNT_LIMIT', 'most attributes of a spike event (128)'),
  HONOURED('OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'the same for log records only, wins over it'),
  HONOURED('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', 'the same for log records only, wins over it'),
  REFUSED('OTEL_CONFIG_FILE', 'mapscope has a configuration of its own, `--config`'),
  REFUSED('OTEL_EXPERIMENTAL_CONFIG_FILE', 'mapscope has a configuration of its own, `--config`'),
  REFUSED('OTEL_LOG_LEVEL', 'mapscope says what matters to its user, each thing once'),
  REFUSED('OTEL_ENTITIES', 'the specification may still change it; `OTEL_RESOURCE_ATTRIBUTES` does the same'),
  REFUSED('OTEL_EXPORTER_PROMETHEUS_HOST', 'mapscope sends over OTLP, which Prometheus receives'),
  REFUSED('OTEL_EXPORTER_PROMETHEUS_PORT', 'mapscope sends over OTLP, which Prometheus receives'),
];

/** Says by name which variables are set and do nothing. */
export function sayWhatIsRefused(log: Log): void {
  for (const { name, meaning } of VARIABLES.filter((variable) => !variable.honoured)) {
    if (text(name) !== undefined) {
      log('info', `${name} is not used: ${meaning.replaceAll('`', '')}.`);
    }
  }
}
