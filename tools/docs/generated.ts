import { settingsJsonSchema } from '../../src/config/json-schema.ts';
import { MANIFESTS } from '../kubernetes/generated.ts';
import { systemdUnit } from '../systemd/unit.ts';
import { commandLineDocument } from './command-line.ts';
import { metricsDocument } from './metrics.ts';
import { rightsDocument } from './rights.ts';
import { variablesDocument } from './variables.ts';

/** Documents that are made from the code, by path from the root: `npm run docs` writes them, a test compares them. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/metrics.md': metricsDocument,
  'docs/otlp-variables.md': variablesDocument,
  'docs/command-line.md': commandLineDocument,
  'docs/rights.md': rightsDocument,
  'docs/config.schema.json': () => `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`,
  'otel-config/systemd/mapscope.service': systemdUnit,
  ...MANIFESTS,
};
