import { withoutSecrets } from '../../base/secrets.ts';
import { selectionOf } from '../check.ts';
import { CRITERION_NAMES, type SelectionOptions } from '../criteria.ts';
import { settingsInEnvironment, variableName } from '../environment.ts';
import type { SettingsFile } from '../file/settings-file.ts';
import { OPTIONS, optionName, SETTING_NAMES } from '../options.ts';
import { readConfig } from '../read.ts';
import { type Settings, settingsSchema } from '../schema.ts';
import { readSelection } from '../selection.ts';
import { SELECTION_NAMES } from '../selection-schema.ts';
import { type RawOptions, readSettings } from '../settings.ts';

/** Where the value of a setting comes from. */
export type Origin =
  | { readonly kind: 'option' | 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly line: number | null }
  | { readonly kind: 'default' };

/** A setting as it is in force. */
export interface EffectiveSetting {
  readonly name: string;
  /** As a file may hold it, without secrets; undefined: it is not set, and has no default. */
  readonly value: unknown;
  readonly origin: Origin;
}

/** What stands for values that are free texts, which may hold whatever a person has put there. */
const FREE = new Set(['text', 'file', 'address', 'url', 'names']);

/**
 * Every setting, in the order of the help, then those that say which processes are observed.
 *
 * @throws UserError (usage) like `readSettings` and `readSelection`
 */
export function effectiveSettings(settings: RawOptions, selection: SelectionOptions): EffectiveSetting[] {
  const checked = readSettings(settings);
  const file = readConfig(settings.config);
  const inEnvironment = settingsInEnvironment(process.env);
  const defaults: Partial<Settings> = settingsSchema.parse({});
  return [
    ...SETTING_NAMES.map((name): EffectiveSetting => {
      if (settings[name] !== undefined) {
        return { name, value: shown(settings[name]), origin: { kind: 'option', name: optionName(name) } };
      }
      if (name in inEnvironment) {
        const origin: Origin = { kind: 'variable', name: variableName(name) };
        return { name, value: shown(inEnvironment[name]), origin };
      }
      if (name in file.values) {
        return { name, value: valueInFile(name, file), origin: originInFile(name, file) };
      }
      // What a report's file is called may say its format.
      const value = name === 'format' ? checked.format : defaults[name];
      return { name, value, origin: { kind: 'default' } };
    }),
    ...selected(selection, file),
  ];
}

/** A free text as it is written: what a variable holds may be a secret, its name is none. */
function valueInFile(name: keyof Settings, { values, written }: SettingsFile): unknown {
  const { argument } = OPTIONS[name];
  return FREE.has(argument ?? '') && name in written ? withoutSecretsIn(written[name]) : shown(values[name]);
}

function originInFile(name: string, file: SettingsFile): Origin {
  return { kind: 'file', path: file.path, line: file.positionOf(name)?.line ?? null };
}

/** A value that is to be read back: its dollar signs stand for themselves. */
function shown(value: unknown): unknown {
  return mapTexts(value, (text) => withoutSecrets(text).replace(/\$(?=[${])/g, '$$$$'));
}

function withoutSecretsIn(value: unknown): unknown {
  return mapTexts(value, withoutSecrets);
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') {
    return change(value);
  }
  if (Array.isArray(value)) {
    return value.map((element) => mapTexts(element, change));
  }
  return value !== null && typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mapTexts(part, change)]))
    : value;
}

/** Which processes are observed. Exclusions that the command line turns off come on top of the file's. */
function selected(options: SelectionOptions, file: SettingsFile): EffectiveSetting[] {
  const { withoutExclusions } = readSelection(options);
  const criteria = Object.fromEntries(
    CRITERION_NAMES.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
  const inFile = selectionOf(file.values);
  const typed: Readonly<Record<string, unknown>> = {
    ...(Object.keys(criteria).length > 0 && { targets: [{ include: criteria }] }),
    ...(options.withoutExclusion !== undefined && { withoutExclusions }),
  };
  const names: Readonly<Record<string, string>> = {
    targets: Object.keys(criteria).map(optionName).join(' '),
    withoutExclusions: '--without-exclusion',
  };
  return SELECTION_NAMES.map((name) => {
    if (name in typed) {
      return { name, value: shown(typed[name]), origin: { kind: 'option', name: names[name] ?? '' } };
    }
    return name in inFile
      ? { name, value: shown(inFile[name]), origin: originInFile(name, file) }
      : { name, value: [], origin: { kind: 'default' } };
  });
}
