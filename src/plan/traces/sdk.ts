import { fieldOffset, structNamed } from './fields.ts';
import type { Program } from './go-program.ts';
import { entrySite, INTERFACE, POINTER, SLICE, type TraceSite } from './site.ts';

const SDK = 'go.opentelemetry.io/otel/sdk/trace';
const API = 'go.opentelemetry.io/otel/trace';
/** Called by (*tracer).Start on every recording span, through an interface, after all else (SDK 1.21 to 1.47). */
const START = `${SDK}.(*recordingSpan).runtimeTrace`;
/** A span's End; of a span that has ended already it does nothing. */
const END = `${SDK}.(*recordingSpan).End`;

export const SDK_FUNCTIONS: readonly string[] = [START, END];

/** Offsets in a recordingSpan, in bytes. What is there never changes once the span has begun. */
export interface SdkOffsets {
  /** 16 bytes, in the order in which they are written. */
  readonly traceId: number;
  /** 8 bytes, likewise. */
  readonly spanId: number;
  /** One byte; bit 0 says that the span is sampled. */
  readonly traceFlags: number;
}

/**
 * Spans of the OpenTelemetry Go SDK. Spans that do not record (the sampler drops them) are never seen.
 *
 * - `spanStart`: `span` is the *recordingSpan that (*tracer).Start is about to return, on the goroutine that starts it.
 * - `spanEnd`: `span` is the *recordingSpan, nil if the program ends a nil one. Whichever goroutine ends it; again if it
 *   is ended again.
 *
 * @returns undefined when the program does not contain the SDK
 */
export function planSdk(program: Program): { sites: TraceSite[]; offsets: SdkOffsets } | undefined {
  if (![START, END].some((name) => program.has(name))) {
    return undefined;
  }
  const { binary, structs } = program;
  const sites = [
    entrySite(binary, program.function(START), 'spanStart', {
      parameters: [POINTER, INTERFACE],
      values: { span: 0 },
    }),
    entrySite(binary, program.function(END), 'spanEnd', {
      parameters: [POINTER, SLICE],
      values: { span: 0 },
    }),
  ];
  const span = structNamed(structs, SDK, 'recordingSpan');
  const context = structNamed(structs, API, 'SpanContext');
  const start = fieldOffset(span, 'spanContext', { type: context.address });
  return {
    sites,
    offsets: {
      traceId: start + fieldOffset(context, 'traceID', { kind: 'array', size: 16 }),
      spanId: start + fieldOffset(context, 'spanID', { kind: 'array', size: 8 }),
      traceFlags: start + fieldOffset(context, 'traceFlags', { kind: 'uint8', size: 1 }),
    },
  };
}
