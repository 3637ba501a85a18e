import { writeFileSync } from 'node:fs';
import { metricsDocument } from './metrics-document.ts';

// Run after a change of the metric contract; a test fails while docs/metrics.md is not up to date.
writeFileSync(new URL('../../docs/metrics.md', import.meta.url), metricsDocument());
