import type { SelectionOptions } from '../config/criteria.ts';
import { readConfig } from '../config/read.ts';
import { readSelection } from '../config/selection.ts';
import { readSettings, type Settings } from '../config/settings.ts';
import type { Selection } from '../target/finding/selection.ts';
import { withoutCriteria } from './options.ts';

/** What a command line, the environment and the configuration file ask for. */
export interface Asked {
  readonly selection: Selection;
  readonly settings: Settings;
}

/** Reads it, the file once: both are of the same state of it. @throws UserError (usage) */
export function readAsked(options: SelectionOptions): Asked {
  const all = { ...options, config: readConfig(options.config) };
  return { selection: readSelection(all), settings: readSettings(withoutCriteria(all)) };
}
