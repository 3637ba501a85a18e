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
    ...table(Object.values(MAP_METRICS)),
    '',
    `## The sidecar itself (scope \`${SCOPES.self}\`)`,
    '',
    ...table(Object.values(SELF_METRICS)),
    '',
    '## Attributes of data points',
    '',
    '| attribute | meaning |',
    '|---|---|',
    ...Object.values(ATTRIBUTES).map(({ name, description }) => `| \`${name}\` | ${description} |`),
    '',
    '## Histogram buckets',
    '',
    'Inclusive upper bounds; one more bucket takes what is above the last.',
    '',
    `- counts: ${COUNT_BOUNDS.join(', ')}`,
    `- ratios: ${RATIO_BOUNDS.join(', ')}`,
  ].join('\n')}\n`;
}

function table(contracts: readonly MetricContract[]): string[] {
  return [
    '| metric | kind | unit | attributes | meaning |',
    '|---|---|---|---|---|',
    ...contracts.map((contract) => {
      const attributes = contract.attributes.map((key) => `\`${ATTRIBUTES[key].name}\``).join(', ');
      return `| \`${contract.name}\` | ${kindOf(contract)} | \`${contract.unit}\` | ${attributes} | ${meaningOf(contract)} |`;
    }),
  ];
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
