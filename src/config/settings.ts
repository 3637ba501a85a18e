import { EXIT, UserError } from '../base/errors.ts';
import type { Format } from '../report/choices.ts';
import type { ReportLimits } from '../report/summary/summarize.ts';
import { checkSettings, withoutSelection } from './check.ts';
import { settingsInEnvironment, variableName } from './environment.ts';
import type { SettingsFile } from './file/settings-file.ts';
import { optionName } from './options.ts';
import { readConfig } from './read.ts';
import type { Settings } from './schema.ts';

export type { Settings } from './schema.ts';

/** The options as the command line gives them: text, by name. */
export type RawOptions = Readonly<Record<string, unknown>> & { readonly config?: string | SettingsFile };

/**
 * The settings: of the command line, else of the environment, else of the file, else the defaults.
 *
 * @param verifying the command verifies anyway
 * @throws UserError (usage) that names the option, the variable or the key at fault
 */
export function readSettings({ config, ...options }: RawOptions, verifying = false): Settings {
  const inFile = withoutSelection(readConfig(config).values);
  const inEnvironment = settingsInEnvironment(process.env);
  const checked = check(withFormat({ ...inFile, ...inEnvironment, ...options }), (name) =>
    options[name] === undefined && name in inEnvironment ? variableName(name) : optionName(name),
  );
  // Known here only: the budget of a target is divided when it has several images.
  const settings = { ...checked, nodeBudget: checked.nodeBudget ?? checked.budget };
  if (verifying && settings.format === 'html') {
    throw new UserError('--format html is for what was observed; verify has table and json.', EXIT.usage);
  }
  const result = verifying ? { ...settings, verify: true } : settings;
  const conflict = conflictIn(result);
  if (conflict !== undefined) {
    throw new UserError(conflict, EXIT.usage);
  }
  return result;
}

/** What is wrong with settings that are right each by itself, as a sentence. */
export function conflictIn({
  goroutines,
  perGoroutine,
  allowUnknownGo,
  verify,
}: Settings): string | undefined {
  if (goroutines === 0 && perGoroutine !== undefined) {
    return '--per-goroutine needs per-goroutine counts: remove --goroutines 0.';
  }
  // Lookups decoded with the layouts of another Go must be verified: nothing else vouches for them.
  return allowUnknownGo && !verify ? '--allow-unknown-go requires --verify.' : undefined;
}

/** A report that is written to `report.html` is a page, unless something else is asked for. */
function withFormat(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isPage = typeof values.output === 'string' && /\.html?$/i.test(values.output);
  return isPage && values.format === undefined ? { ...values, format: 'html' } : values;
}

/** How many of the heaviest goroutines and spans a report shows, unless an option says otherwise. */
const REPORTED: Readonly<Record<Format, number>> = { json: 10, jsonl: 10, table: 5, html: 10 };

/** How many of the heaviest a report shows; 0 goroutines: lookups are not counted per goroutine. */
export function reportLimits({ goroutines, perGoroutine, spans, format }: Settings): Required<ReportLimits> {
  return { goroutines: goroutines ?? perGoroutine ?? REPORTED[format], spans: spans ?? REPORTED[format] };
}

/** @param nameOf what whoever has given a setting calls it */
function check(values: Readonly<Record<string, unknown>>, nameOf: (name: string) => string): Settings {
  const result = checkSettings(values, { nameOf: ([name]) => nameOf(String(name)) });
  if ('objections' in result) {
    throw new UserError(result.objections[0].sentence, EXIT.usage);
  }
  return result.data;
}
