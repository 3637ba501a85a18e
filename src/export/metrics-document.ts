import { COUNT_BOUNDS, RATIO_BOUNDS } from '../model/buckets.ts';
import { ATTRIBUTES, MAP_METRICS, type MetricContract, SCOPES, SELF_METRICS } from './metrics.ts';

/** docs/metrics.md, from the metric contract. */
export function metricsDocument(): string {
  return `${[
    '# Metrics',
    '',
    '<!-- Generated from src/export/metrics.ts by `node src/export/generate-docs.ts`. Do not edit. -->',
    '',
    'All counts are sampled counts: what was seen while probe sites were attached, never scaled. Only',
    `\`${MAP_METRICS.estimatedLookups.name}\` is an estimate. The resource describes the target. Temporality is cumulative`,
    'unless `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` asks for another.',
    '',
    `## Maps of the target (scope \`${SCOPES.maps}\`)`,
    '',
    ...metricTable(Object.values(MAP_METRICS)),
    '',
    `## The sidecar itself (scope \`${SCOPES.self}\`)`,
    '',
    ...metricTable(Object.values(SELF_METRICS)),
    '',
    '## Attributes of data points',
    '',
    ...table(
      ['attribute', 'meaning'],
      Object.values(ATTRIBUTES).map(({ name, description }) => [code(name), description]),
    ),
    '',
    '## Histogram buckets',
    '',
    'Inclusive upper bounds; one more bucket takes what is above the last.',
    '',
    `- counts: ${COUNT_BOUNDS.join(', ')}`,
    `- ratios: ${RATIO_BOUNDS.join(', ')}`,
  ].join('\n')}\n`;
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
