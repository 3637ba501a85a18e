import type { z } from 'zod';
import { EXIT, UserError } from '../base/errors.ts';
import type { Selection } from '../target/finding/selection.ts';
import { CRITERION_NAMES, type SelectionOptions } from './criteria.ts';
import { NOTHING, readSettingsFile, type SettingsFile } from './file.ts';
import { nearest } from './nearest.ts';
import { optionName } from './options.ts';
import { SELECTION_NAMES, selectionSchema } from './selection-schema.ts';

/**
 * Which processes to observe. Criteria on the command line take the place of the rules in the file; exclusions that either turns
 * off are off.
 *
 * @throws UserError (usage) that names the option, or the file, the line and the key at fault
 */
export function readSelection({ config, withoutExclusion, ...options }: SelectionOptions): Selection {
  const file = config === undefined ? NOTHING : readSettingsFile(config);
  const inFile = check(selectionOf(file.values), file);
  const criteria = Object.fromEntries(
    CRITERION_NAMES.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
  const typed = check({
    ...(Object.keys(criteria).length > 0 && { targets: [{ include: criteria }] }),
    ...(withoutExclusion !== undefined && {
      withoutExclusions: withoutExclusion.split(',').map((name) => name.trim()),
    }),
  });
  return {
    rules: typed.targets.length > 0 ? typed.targets : inFile.targets,
    withoutExclusions: [...new Set([...inFile.withoutExclusions, ...typed.withoutExclusions])],
  };
}

/** The settings of a file that are options as well. */
export function withoutSelection(values: SettingsFile['values']): SettingsFile['values'] {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !SELECTION_NAMES.includes(name)));
}

function selectionOf(values: SettingsFile['values']): SettingsFile['values'] {
  return Object.fromEntries(Object.entries(values).filter(([name]) => SELECTION_NAMES.includes(name)));
}

/** @param file where the values are from; undefined for the command line */
function check(values: SettingsFile['values'], file?: SettingsFile): z.output<typeof selectionSchema> {
  const result = selectionSchema.safeParse(values);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const path = issue?.path ?? [];
  const where = file?.placeOf(...path) ?? '';
  const name = file === undefined ? optionOf(path) : keyOf(path);
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys[0] ?? '';
    const known = nearest(unknown, path.length > 2 ? CRITERION_NAMES : RULE_KEYS);
    throw new UserError(
      `${where}unknown key ${unknown} in ${name}${known === undefined ? '.' : `: did you mean ${known}?`}`,
      EXIT.usage,
    );
  }
  throw new UserError(
    `${where}${name} ${issue?.message}, not ${JSON.stringify(at(values, path))}.`,
    EXIT.usage,
  );
}

const RULE_KEYS = ['include', 'exclude'];

/** `targets[1].include.exe`: rules are counted from 1, as `ps` and `explain` count them. */
function keyOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step + 1}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

function optionOf(path: readonly PropertyKey[]): string {
  return path[0] === 'targets' ? optionName(String(path.at(-1))) : '--without-exclusion';
}

function at(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step],
    values,
  );
}
