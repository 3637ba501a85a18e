import type { ExportResult } from '@opentelemetry/core';
import { createOtlpNetworkExportDelegate, type IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExporterMetrics,
} from '@opentelemetry/otlp-exporter-base/node-http';
import {
  convertLegacyOtlpGrpcOptions,
  createOtlpGrpcExporterMetrics,
} from '@opentelemetry/otlp-grpc-exporter-base';
import type { IExporterMetricsHelper, ISerializer } from '@opentelemetry/otlp-transformer';
import type { Endpoint } from '../settings/endpoint.ts';
import { BoundedTransport } from '../transport/bounded.ts';
import { GrpcTransport } from '../transport/grpc.ts';
import { HttpTransport } from '../transport/http.ts';
import type { Transport } from '../transport/transport.ts';

/*
 * The only file, with exporter.ts, that uses packages which OpenTelemetry calls internal; package.json pins their versions. Theirs are the
 * variables, the encoding, the queue and the account of requests; the transports are ours, and say why.
 */

/** What a receiver did not take of a request that it accepted. */
export interface PartialSuccess {
  /** Data points or log records. */
  readonly rejected: number;
  readonly message: string;
}

/** How sending ended. */
export interface SendResult extends ExportResult {
  readonly partial?: PartialSuccess;
}

/** Sends data of one signal to one endpoint, each request once. */
export interface Sender<Data> {
  export(data: Data, resultCallback: (result: SendResult) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
  /** Ends requests that are under way, and has the next one make a new connection. */
  renew(): void;
}

/** How a signal is written. */
export interface Encoding<Data> {
  readonly serializer: ISerializer<Data, { partialSuccess?: object }>;
  readonly helper: IExporterMetricsHelper<Data>;
}

/** The sender for an endpoint. What the OTEL_EXPORTER_OTLP_* variables say besides is read by OpenTelemetry's own code. */
export function createSender<Data>(endpoint: Endpoint, encoding: Encoding<Data>): Sender<Data> {
  let partial: PartialSuccess | undefined;
  // The delegate reads an answer and calls back at once, so that the two belong together. It would only log the answer.
  const serializer: ISerializer<Data, object> = {
    serializeRequest: (data) => encoding.serializer.serializeRequest(data),
    deserializeResponse: (bytes) => {
      partial = partialSuccess(encoding.serializer.deserializeResponse(bytes).partialSuccess);
      return {};
    },
  };
  const { delegate, transport } = connected(endpoint, serializer, encoding.helper);
  return {
    export: (data, resultCallback) =>
      delegate.export(data, (result) => {
        const rejected = partial;
        partial = undefined;
        resultCallback(rejected === undefined ? result : { ...result, partial: rejected });
      }),
    forceFlush: () => delegate.forceFlush(),
    shutdown: () => delegate.shutdown(),
    renew: () => transport.renew(),
  };
}

function connected<Data>(
  endpoint: Endpoint,
  serializer: ISerializer<Data, object>,
  helper: IExporterMetricsHelper<Data>,
): { delegate: IOtlpExportDelegate<Data>; transport: Transport } {
  const { signal, url, protocol } = endpoint;
  if (protocol === 'grpc') {
    const configuration = convertLegacyOtlpGrpcOptions({ url: forCredentials(url) }, signal.toUpperCase());
    const metrics = createOtlpGrpcExporterMetrics(`otlp_grpc_${signal}_exporter`, helper, url, undefined);
    const transport = new BoundedTransport(new GrpcTransport(endpoint, configuration));
    return {
      delegate: createOtlpNetworkExportDelegate(configuration, serializer, metrics, transport),
      transport,
    };
  }
  const configure = () =>
    convertLegacyHttpOptions({ url }, signal.toUpperCase(), `v1/${signal}`, {
      'Content-Type': 'application/x-protobuf',
    });
  const metrics = createOtlpHttpExporterMetrics(`otlp_http_${signal}_exporter`, helper, url, undefined);
  const transport = new BoundedTransport(new HttpTransport(endpoint, configure));
  return {
    delegate: createOtlpNetworkExportDelegate(configure(), serializer, metrics, transport),
    transport,
  };
}

/** A socket of this machine needs no TLS. */
function forCredentials(url: string): string {
  return /^unix:/i.test(url) ? 'http://localhost' : url.toLowerCase();
}

/** The counts have a name of their own for each signal; an empty answer means that all was taken. */
function partialSuccess(found: object | undefined): PartialSuccess | undefined {
  if (found === undefined) {
    return undefined;
  }
  const { errorMessage = '', ...counts } = found as { errorMessage?: string } & Record<string, unknown>;
  const rejected = Object.values(counts).reduce<number>((sum, count) => sum + Number(count), 0);
  return rejected === 0 && errorMessage === '' ? undefined : { rejected, message: errorMessage };
}
