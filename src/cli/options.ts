import { type Command, InvalidArgumentError, Option } from 'commander';
import { configureLog } from '../base/log.ts';
import { CRITERIA, CRITERION_NAMES, type SelectionOptions } from '../config/criteria.ts';
import { OPTIONS, type OptionGroup, optionName } from '../config/options.ts';
import type { RawOptions, Settings } from '../config/settings.ts';
import type { Selection } from '../target/finding/selection.ts';

/** Options that say which processes: the criteria of one rule. */
export function withSelection(command: Command): Command {
  for (const name of CRITERION_NAMES) {
    const { argument, help } = CRITERIA[name];
    const flag = optionName(name);
    command.addOption(grouped(argument === undefined ? flag : `${flag} <${argument}>`, help, 'Target'));
  }
  return command.addOption(
    grouped(
      '--without-exclusion <names>',
      'do not leave out what a built-in exclusion of this name does: collectors (of telemetry) or self',
      'Target',
    ),
  );
}

/** What checks rules takes long to load, as what checks settings does. */
export async function selectionOf(options: SelectionOptions): Promise<Selection> {
  const { readSelection } = await import('../config/selection.ts');
  return readSelection(options);
}

/** The options that are settings. */
export function withoutCriteria({ withoutExclusion, ...options }: SelectionOptions): RawOptions {
  const names: readonly string[] = CRITERION_NAMES;
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

/** What checks settings takes long to load: commands without settings do without it. */
export async function settingsOf(options: RawOptions, verifying = false): Promise<Settings> {
  const { readSettings } = await import('../config/settings.ts');
  const settings = readSettings(options, verifying);
  configureLog({ format: settings.logFormat, level: settings.logLevel });
  return settings;
}

/** @param instead other words for some settings */
export function withSettings(
  command: Command,
  settings: readonly (keyof Settings)[],
  instead: Partial<Record<keyof Settings, string>> = {},
): Command {
  command.addOption(
    grouped(
      '--config <file>',
      'read settings from a YAML file; options on the command line take precedence',
      'Observation',
    ),
  );
  for (const setting of settings) {
    const { argument, help, group, isOptional } = OPTIONS[setting];
    const flag = optionName(setting);
    const value = isOptional ? `[${argument}]` : `<${argument}>`;
    const flags = argument === undefined ? flag : `${flag} ${value}`;
    command.addOption(grouped(flags, instead[setting] ?? help, group));
  }
  return command;
}

export function grouped(flags: string, help: string, group: OptionGroup): Option {
  return new Option(flags, help).helpGroup(`${group}:`);
}

export function pidOption(help: string): Option {
  return grouped('--pid <pid>', help, 'Target').argParser(processId);
}

export function processId(text: string): number {
  // Number() would also take 0x1 and 1e3.
  if (!/^[1-9]\d{0,9}$/.test(text)) {
    throw new InvalidArgumentError('It must be a process id: a whole number above 0.');
  }
  return Number(text);
}

export function example(command: string): string {
  return `\nExample:\n  mapscope ${command}`;
}
