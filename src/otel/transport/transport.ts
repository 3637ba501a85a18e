import type { IExporterTransport } from '@opentelemetry/otlp-exporter-base';

/** Sends requests to one endpoint; what it fails with is an `ExportFailure`. */
export interface Transport extends IExporterTransport {
  /** Has the next request make a new connection, with certificates as they are then; ends those that are under way. */
  renew(): void;
}
