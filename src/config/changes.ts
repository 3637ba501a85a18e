import { isDeepStrictEqual } from 'node:util';
import { SETTING_NAMES } from './options.ts';
import type { Settings } from './schema.ts';

/**
 * What a change of a setting takes while processes are observed: `live` nothing, `anew` that each is observed anew, `fixed` that mapscope
 * is started anew; `report` nothing where no report is written.
 */
type Effect = 'live' | 'anew' | 'fixed' | 'report';

const EFFECTS: { readonly [Name in keyof Settings]-?: Effect } = {
  duration: 'fixed',
  mode: 'anew',
  budget: 'live',
  nodeBudget: 'live',
  // One memory for all targets.
  callSites: 'fixed',
  attachMethod: 'anew',
  format: 'report',
  top: 'report',
  by: 'report',
  sort: 'report',
  filter: 'report',
  width: 'report',
  output: 'report',
  spikes: 'anew',
  goroutines: 'anew',
  spans: 'anew',
  ui: 'fixed',
  traceUrl: 'fixed',
  otlpEndpoint: 'anew',
  otlpLogsEndpoint: 'anew',
  perGoroutine: 'anew',
  traceSources: 'anew',
  traceLabels: 'anew',
  spanLabels: 'anew',
  verify: 'anew',
  lookups: 'anew',
  allowUnknownGo: 'anew',
  logFormat: 'live',
  logLevel: 'live',
};

/** The settings that differ, by what that takes. */
export type Changes = { readonly [Kind in Effect]: readonly (keyof Settings)[] };

/** What is different in other settings. */
export function changesBetween(before: Settings, after: Settings): Changes {
  const changed = SETTING_NAMES.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  const of = (effect: Effect) => changed.filter((name) => EFFECTS[name] === effect);
  return { live: of('live'), anew: of('anew'), fixed: of('fixed'), report: of('report') };
}
