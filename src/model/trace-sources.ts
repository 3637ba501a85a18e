/**
 * Where a goroutine's trace is known from, the preferred first: its pprof labels; spans of the OpenTelemetry SDK, and
 * `traceparent` headers of requests over HTTP and gRPC, which the innermost wins of; what OBI says of the thread.
 */
export const TRACE_SOURCES = ['labels', 'sdk', 'http', 'grpc', 'obi'] as const;
export type TraceSource = (typeof TRACE_SOURCES)[number];

/** Names of pprof labels that hold ids. */
export interface LabelNames {
  /** Of trace ids: 32 hexadecimal digits. */
  readonly traceLabels: readonly string[];
  /** Of span ids: 16 hexadecimal digits. */
  readonly spanLabels: readonly string[];
}

/** Which lookups may become exemplars. */
export interface ExemplarOptions {
  /** Keep also lookups of goroutines without a trace id. */
  readonly withoutTrace: boolean;
}

/**
 * The labels that tracing libraries set: OpenTelemetry's convention for Go (OTEP 4947), otelpyroscope (profile_id is the
 * span's id there), dd-trace-go.
 */
export const DEFAULT_LABELS: LabelNames = {
  traceLabels: ['trace_id', 'traceid', 'trace id'],
  spanLabels: ['span_id', 'spanid', 'span id', 'profile_id'],
};
