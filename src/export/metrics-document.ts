import { COUNT_BOUNDS, RATIO_BOUNDS } from '../model/buckets.ts';
import { SPIKE_ATTRIBUTES, SPIKE_EVENT } from './events.ts';
import { SCALE } from './exponential.ts';
import {
  ATTRIBUTES,
  EXEMPLAR_ATTRIBUTES,
  FOLLOWING_METRICS,
  GOROUTINE_METRICS,
  MAP_METRICS,
  type MetricContract,
  SCOPES,
  SELF_METRICS,
  SPIKE_METRICS,
} from './metrics.ts';

/** docs/metrics.md, from the metric contract. */
export function metricsDocument(): string {
  return `${[
    '# Metrics and events',
    '',
    '<!-- Generated from src/export/metrics.ts and events.ts by `node src/export/generate-docs.ts`. Do not edit. -->',
    '',
    'All counts are sampled counts: what was seen while probe sites were attached, never scaled. Only',
    `\`${MAP_METRICS.estimatedLookups.name}\` is an estimate. The resource describes the target. Temporality is cumulative`,
    'unless `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` asks for another.',
    '',
    `## Maps of the target (scope \`${SCOPES.maps}\`)`,
    '',
    ...metricTable(Object.values(MAP_METRICS)),
    '',
    '## Single goroutines',
    '',
    'With `--per-goroutine N`, in the same scope: series of their own for the N goroutines (at most 100) with the most',
    'lookups of late, and one for all others, marked as overflow. A goroutine keeps its series until it falls behind rank',
    '2 N or stands still; one that comes later gets a series when it is there at two exports. A series begins when its',
    'goroutine gets it (its start time says when); what came before is in the overflow series. In the life of an',
    'observation 1,000 goroutines get series at most.',
    '',
    ...metricTable(Object.values(GOROUTINE_METRICS)),
    '',
    `## The sidecar itself (scope \`${SCOPES.self}\`)`,
    '',
    ...metricTable(Object.values(SELF_METRICS)),
    '',
    'With `--spikes`, or with an endpoint for logs, also:',
    '',
    ...metricTable(Object.values(SPIKE_METRICS)),
    '',
    'Where spans are followed also:',
    '',
    ...metricTable(Object.values(FOLLOWING_METRICS)),
    '',
    '## Attributes of data points',
    '',
    ...attributeTable(Object.values(ATTRIBUTES)),
    '',
    '## Exemplars',
    '',
    'A lookup told in full, to lead from a histogram to the trace: at most one per series, bucket and export, with the',
    'exact value, the time, and the trace id and span id of the goroutine. Sampled spans come first, then the newest',
    'lookup. An exemplar that was not delivered is sent again. `OTEL_METRICS_EXEMPLAR_FILTER` decides which lookups are',
    'eligible: `trace_based`, the default, those that lead to a trace; `always_on` all; `always_off` none.',
    '',
    ...attributeTable(Object.values(EXEMPLAR_ATTRIBUTES)),
    '',
    `## Log events (scope \`${SCOPES.maps}\`)`,
    '',
    ...eventTable(),
    '',
    'Events are sent only when a receiver of logs is named: `--otlp-logs-endpoint`, `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`, or',
    '`OTEL_LOGS_EXPORTER=otlp` together with the general endpoint. Time is that of the lookup, severity `WARN`, the body a',
    'sentence. Of each call site, type and result at most four are sent a second, those with a trace and the highest first.',
    '',
    ...attributeTable(Object.values(SPIKE_ATTRIBUTES)),
    '',
    '## Histogram buckets',
    '',
    'Inclusive upper bounds; one more bucket takes what is above the last.',
    '',
    `- counts: ${COUNT_BOUNDS.join(', ')}`,
    `- ratios: ${RATIO_BOUNDS.join(', ')}`,
    '',
    'With `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=base2_exponential_bucket_histogram` histograms of',
    `counts are sent as exponential histograms of scale ${SCALE}: each bucket above at the place of its upper bound, 0 as zero`,
    'count. Up to 8 that is exact; [design/0004](design/0004-exponential-histograms.md) says how far it is off above.',
    'Histograms of ratios keep their buckets.',
  ].join('\n')}\n`;
}

function eventTable(): string[] {
  return table(['event', 'meaning'], [[code(SPIKE_EVENT.name), SPIKE_EVENT.description]]);
}

function attributeTable(attributes: readonly { name: string; description: string }[]): string[] {
  return table(
    ['attribute', 'meaning'],
    attributes.map(({ name, description }) => [code(name), description]),
  );
}

function metricTable(contracts: readonly MetricContract[]): string[] {
  return table(
    ['metric', 'kind', 'unit', 'attributes', 'meaning'],
    contracts.map((contract) => [
      code(contract.name),
      kindOf(contract),
      code(contract.unit),
      contract.attributes.map((key) => code(ATTRIBUTES[key].name)).join(', '),
      meaningOf(contract),
    ]),
  );
}

/** A Markdown table in the form that formatters leave alone: columns of even width. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

function code(text: string): string {
  return `\`${text}\``;
}

function kindOf({ kind, bounds, exemplars }: MetricContract): string {
  if (kind !== 'histogram') {
    return kind;
  }
  const buckets = bounds === RATIO_BOUNDS ? 'ratios' : 'counts';
  return `histogram of ${buckets}${exemplars ? ', may carry exemplars' : ''}`;
}

function meaningOf({ description, only }: MetricContract): string {
  const implementation = { classic: 'Classic maps only.', swiss: 'Swiss maps only.' };
  return only === undefined ? description : `${description} ${implementation[only]}`;
}
