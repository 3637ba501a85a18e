import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('./otlp-metrics.proto', import.meta.url));
const SERVICE = 'opentelemetry.proto.collector.metrics.v1.MetricsService';

/** The service of OTLP's metrics, with its one method `Export`. */
export function metricsService(): ServiceDefinition {
  const definition = loadSync(PROTO, { longs: Number, enums: String, defaults: true, oneofs: true })[SERVICE];
  if (definition === undefined || 'format' in definition) {
    throw new Error(`${PROTO} does not define ${SERVICE}`);
  }
  return definition as ServiceDefinition;
}
