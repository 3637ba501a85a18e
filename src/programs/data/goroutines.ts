import { type GoBinary, goroutineLayout } from '../../gobinary/index.ts';
import { encodeRecords, fieldOffset, recordConstant } from '../../kernel/records.ts';
import type { ExemplarOptions, LabelNames } from '../../model/trace-sources.ts';

/** What of goroutines and their traces a program is to look at. */
export interface GoroutineOptions {
  readonly exemplars?: ExemplarOptions;
  /** Without it labels are not looked at. */
  readonly labels?: LabelNames;
  /** The maps of followed spans are there. */
  readonly withSpans?: boolean;
  /** OBI's map of what threads work for is there. */
  readonly withThreadContext?: boolean;
  /** Lookups are counted for each goroutine. */
  readonly withCosts?: boolean;
  /** Count lookups for each followed span. */
  readonly withSpanCosts?: boolean;
}

/** The record `goroutines` of a program's read-only data; undefined for a Go version whose goroutines are not known. */
export function goroutineRecord(binary: GoBinary, options: GoroutineOptions): Uint8Array | undefined {
  const layout = goroutineLayout(binary.version.minor);
  if (layout === undefined) {
    return undefined;
  }
  const labels = options.labels ?? { traceLabels: [], spanLabels: [] };
  const names = [
    ...labels.traceLabels.map((name) => labelName(name, false)),
    ...labels.spanLabels.map((name) => labelName(name, true)),
  ];
  const most = recordConstant('MAX_LABEL_NAMES');
  if (names.length > most) {
    throw new RangeError(`${names.length} label names, ${most} are possible`);
  }
  const format = layout.labelsFormat === 'slice' ? 'LABELS_SLICE' : 'LABELS_MAP';
  const record = encodeRecords('goroutine_layout', [
    {
      goid: layout.goid,
      parent_goid: layout.parentGoid ?? 0,
      labels: layout.labels,
      machine: layout.machine,
      current: layout.current,
      labels_format: recordConstant(labels.traceLabels.length > 0 ? format : 'LABELS_NONE'),
      with_exemplars: Number(options.exemplars !== undefined),
      without_trace: Number(options.exemplars?.withoutTrace === true),
      label_names: names.length,
      with_spans: Number(options.withSpans === true),
      with_thread_context: Number(options.withThreadContext === true),
      with_costs: Number(options.withCosts === true),
      with_span_costs: Number(options.withSpanCosts === true),
    },
  ]);
  record.set(Buffer.concat(names), fieldOffset('goroutine_layout', 'names'));
  return record;
}

function labelName(name: string, isSpan: boolean): Buffer {
  const text = Buffer.from(name);
  const room = 8 * recordConstant('LABEL_NAME_WORDS');
  if (text.length === 0 || text.length > room) {
    throw new RangeError(`the label name ${name} is not 1 to ${room} bytes long`);
  }
  const record = encodeRecords('label_name', [{ length: text.length, is_span: Number(isSpan) }]);
  record.set(text, fieldOffset('label_name', 'text'));
  return record;
}
