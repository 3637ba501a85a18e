import { type GoBinary, goroutineLayout } from '../gobinary/index.ts';
import { encodeRecords, fieldOffset, recordConstant } from '../kernel/records.ts';

/** Which lookups may become exemplars. */
export interface ExemplarOptions {
  /** pprof labels that hold a trace id as 32 hexadecimal digits. */
  readonly traceLabels: readonly string[];
  /** pprof labels that hold a span id as 16 hexadecimal digits. */
  readonly spanLabels: readonly string[];
  /** Keep also lookups of goroutines without a trace id. */
  readonly withoutTrace: boolean;
}

/**
 * The labels that tracing libraries set: OpenTelemetry's convention for Go (OTEP 4947), otelpyroscope (profile_id is the
 * span's id there), dd-trace-go.
 */
export const DEFAULT_LABELS: Pick<ExemplarOptions, 'traceLabels' | 'spanLabels'> = {
  traceLabels: ['trace_id', 'traceid', 'trace id'],
  spanLabels: ['span_id', 'spanid', 'span id', 'profile_id'],
};

/**
 * The record `goroutines` of the program's read-only data; all zero when it is not to tell who makes lookups.
 *
 * @param withExemplars whether candidates for exemplars are wanted, and not only spikes
 */
export function goroutineData(
  binary: GoBinary,
  options: ExemplarOptions | undefined,
  withExemplars = true,
): Uint8Array {
  const layout = goroutineLayout(binary.version.minor);
  if (options === undefined || layout === undefined) return encodeRecords('goroutine_layout', [{}]);
  const names = [
    ...options.traceLabels.map((name) => labelName(name, false)),
    ...options.spanLabels.map((name) => labelName(name, true)),
  ];
  const most = recordConstant('MAX_LABEL_NAMES');
  if (names.length > most) throw new RangeError(`${names.length} label names, ${most} are possible`);
  const record = encodeRecords('goroutine_layout', [
    {
      goid: layout.goid,
      parent_goid: layout.parentGoid ?? 0,
      labels: layout.labels,
      machine: layout.machine,
      current: layout.current,
      labels_format: recordConstant(layout.labelsFormat === 'slice' ? 'LABELS_SLICE' : 'LABELS_MAP'),
      with_exemplars: Number(withExemplars),
      without_trace: Number(options.withoutTrace),
      label_names: names.length,
    },
  ]);
  record.set(Buffer.concat(names), fieldOffset('goroutine_layout', 'names'));
  return record;
}

function labelName(name: string, isSpan: boolean): Buffer {
  const text = Buffer.from(name);
  const room = 8 * recordConstant('LABEL_NAME_WORDS');
  if (text.length === 0 || text.length > room)
    throw new RangeError(`the label name ${name} is not 1 to ${room} bytes long`);
  const record = encodeRecords('label_name', [{ length: text.length, is_span: Number(isSpan) }]);
  record.set(text, fieldOffset('label_name', 'text'));
  return record;
}
