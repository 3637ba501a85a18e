import { EXIT, UserError } from '../base/errors.ts';
import type { Format } from '../report/choices.ts';
import type { ReportLimits } from '../report/summary/summarize.ts';
import { NOTHING, readSettingsFile, type SettingsFile } from './file.ts';
import { nearest } from './nearest.ts';
import { optionName } from './options.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { withoutSelection } from './selection.ts';
import { SELECTION_NAMES } from './selection-schema.ts';

export type { Settings } from './schema.ts';

/** The options as the command line gives them: text, by name. */
export type RawOptions = Readonly<Record<string, unknown>> & { readonly config?: string };

/**
 * @param verifying the command verifies anyway
 * @throws UserError (usage) that names the option or the key at fault
 */
export function readSettings({ config, ...options }: RawOptions, verifying = false): Settings {
  const file = config === undefined ? NOTHING : readSettingsFile(config);
  const inFile = withoutSelection(file.values);
  check(inFile, file);
  const checked = check(withFormat({ ...inFile, ...options }));
  // Known here only: the budget of a target is divided when it has several images.
  const settings = { ...checked, nodeBudget: checked.nodeBudget ?? checked.budget };
  if (verifying && settings.format === 'html') {
    throw new UserError('--format html is for what was observed; verify has table and json.', EXIT.usage);
  }
  if (settings.goroutines === 0 && settings.perGoroutine !== undefined) {
    throw new UserError('--per-goroutine needs per-goroutine counts: remove --goroutines 0.', EXIT.usage);
  }
  return vouched(verifying ? { ...settings, verify: true } : settings);
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

/** Lookups decoded with the layouts of another Go must be verified: nothing else vouches for them. */
function vouched(settings: Settings & { readonly verify?: boolean }): Settings {
  if (settings.allowUnknownGo && settings.verify !== true) {
    throw new UserError('--allow-unknown-go requires --verify.', EXIT.usage);
  }
  return settings;
}

/** @param file where the values are from; undefined for the command line, whose options are named as they are typed */
function check(values: Readonly<Record<string, unknown>>, file?: SettingsFile): Settings {
  const result = settingsSchema.safeParse(values);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : undefined;
  const key = unknown ?? String(issue?.path[0] ?? '');
  const where = file?.placeOf(key) ?? '';
  if (unknown !== undefined) {
    const known = nearest(unknown, [...Object.keys(settingsSchema.shape), ...SELECTION_NAMES]);
    const hint = known === undefined ? '' : `: did you mean ${known}?`;
    throw new UserError(`${where}unknown setting ${unknown}${hint || '.'}`, EXIT.usage);
  }
  const name = file === undefined ? optionName(key) : key;
  throw new UserError(`${where}${name} ${issue?.message}, not ${JSON.stringify(values[key])}.`, EXIT.usage);
}
