import { COUNT_BOUNDS, RATIO_BOUNDS } from '../../src/model/buckets.ts';
import { SPIKE_ATTRIBUTES, SPIKE_EVENT } from '../../src/otel/contract/events.ts';
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
} from '../../src/otel/contract/metrics.ts';
import { SCALE } from '../../src/otel/metrics/exponential.ts';
import { code, table } from './markdown.ts';

/** docs/metrics.md, from the metric contract. */
export function metricsDocument(): string {
  return `${[
    '# Metrics and events',
    '',
    '<!-- Generated from src/otel/contract/metrics.ts and events.ts by `npm run docs`. Do not edit. -->',
    '',
    'All counts are sampled: mapscope counts the lookups it sees while probe sites are attached, and never scales. Only',
    `\`${MAP_METRICS.estimatedLookups.name}\` is an estimate. The resource describes the target. Temporality is cumulative`,
    'unless `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` asks for another.',
    '',
    `## Maps of the target (scope \`${SCOPES.maps}\`)`,
    '',
    ...metricTable(Object.values(MAP_METRICS)),
    '',
    '## Single goroutines',
    '',
    '`--per-goroutine N` adds, in the same scope, one series for each of the N goroutines (at most 100) with the most',
    'recent lookups, and one for all others, marked as overflow. A goroutine keeps its series until it falls below rank',
    '2 N or makes no more lookups; a goroutine that appears later gets a series once it is seen at two exports. A series',
    'starts when its goroutine gets it (see its start time); earlier lookups are in the overflow series. At most 1,000',
    'goroutines get a series during one observation.',
    '',
    ...metricTable(Object.values(GOROUTINE_METRICS)),
    '',
    `## The sidecar itself (scope \`${SCOPES.self}\`)`,
    '',
    ...metricTable(Object.values(SELF_METRICS)),
    '',
    'With `--spikes`, or with an endpoint for logs, mapscope also exports:',
    '',
    ...metricTable(Object.values(SPIKE_METRICS)),
    '',
    'When it follows spans, mapscope also exports:',
    '',
    ...metricTable(Object.values(FOLLOWING_METRICS)),
    '',
    '## Attributes of data points',
    '',
    ...attributeTable(Object.values(ATTRIBUTES)),
    '',
    '## Exemplars',
    '',
    'An exemplar is a single lookup that leads from a histogram to a trace. There is at most one per series, bucket and',
    'export, with the exact value, the time, and the trace id and span id of the goroutine. Lookups in sampled spans are',
    'preferred, then the newest one. mapscope sends an exemplar again when it was not delivered.',
    '`OTEL_METRICS_EXEMPLAR_FILTER` decides which lookups are eligible: those that lead to a trace (`trace_based`, the',
    'default), all (`always_on`) or none (`always_off`).',
    '',
    ...attributeTable(Object.values(EXEMPLAR_ATTRIBUTES)),
    '',
    `## Log events (scope \`${SCOPES.maps}\`)`,
    '',
    ...eventTable(),
    '',
    'mapscope sends events only to a configured receiver of logs: `--otlp-logs-endpoint`, `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`,',
    'or `OTEL_LOGS_EXPORTER=otlp` together with the general endpoint. An event has the time of the lookup, severity `WARN`,',
    'and a sentence as its body. For each call site, type and result mapscope sends at most four events a second, those with',
    'a trace first, then the highest.',
    '',
    ...attributeTable(Object.values(SPIKE_ATTRIBUTES)),
    '',
    '## Histogram buckets',
    '',
    'Inclusive upper bounds; one more bucket takes all values above the last.',
    '',
    `- counts: ${COUNT_BOUNDS.join(', ')}`,
    `- ratios: ${RATIO_BOUNDS.join(', ')}`,
    '',
    'With `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=base2_exponential_bucket_histogram` mapscope',
    `sends histograms of counts as exponential histograms of scale ${SCALE}: each bucket at the place of its upper bound, 0 as`,
    'zero count. Values up to 8 are exact; [design/0004](design/0004-exponential-histograms.md) gives the error above that.',
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
