import type { IExporterTransport } from '@opentelemetry/otlp-exporter-base';

/** Sends requests to one endpoint; what it fails with is an `ExportFailure`. */
export interface Transport extends IExporterTransport {
  /** Has the next request make a new connection, with certificates as they are then; ends those that are under way. */
  renew(): void;
}

/** A request that is under way. */
export interface Request {
  /** It has a connection: from here on the receiver may take it. */
  isSent: boolean;
  /** Nobody waits for its answer any more; it must not be sent. */
  readonly ended: AbortController;
}

export function newRequest(): Request {
  return { isSent: false, ended: new AbortController() };
}
