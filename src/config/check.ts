import type { z } from 'zod';
import { withoutSecrets } from '../base/secrets.ts';
import { CRITERION_NAMES } from './criteria.ts';
import { inOrder, type Problem } from './file/problem.ts';
import type { SettingsFile } from './file/settings-file.ts';
import { nearest } from './nearest.ts';
import { settingsSchema } from './schema.ts';
import { SELECTION_NAMES, selectionSchema } from './selection-schema.ts';

type Values = Readonly<Record<string, unknown>>;

/** How the one who has given a value is told of it. */
export interface Naming {
  /** What the value that a path leads to is called. */
  readonly nameOf: (path: readonly PropertyKey[]) => string;
  /** The value, as the rest of a sentence: `not "sometimes"`. */
  readonly shown?: (path: readonly PropertyKey[], value: unknown) => string;
}

/** One thing that a schema has against some values. */
interface Objection {
  readonly path: readonly PropertyKey[];
  readonly sentence: string;
}

/** What the schema of settings makes of values, or all that it has against them. */
export function checkSettings(values: Values, naming: Naming) {
  return checked(settingsSchema, values, naming);
}

/** The same of which processes are observed. */
export function checkSelection(values: Values, naming: Naming) {
  return checked(selectionSchema, values, naming);
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  values: Values,
  naming: Naming,
): { readonly data: z.output<Schema> } | { readonly objections: [Objection, ...Objection[]] } {
  const result = schema.safeParse(values);
  if (result.success) {
    return { data: result.data };
  }
  const { issues } = result.error;
  // Where a key is unknown, that another one is missing is no news.
  const misspelt = issues.flatMap(({ code, path }) => (code === 'unrecognized_keys' ? [path.join()] : []));
  const [first, ...others] = issues
    .filter(({ code, path }) => code === 'unrecognized_keys' || !misspelt.includes(path.join()))
    .flatMap((issue) => objectionsTo(values, issue, naming));
  if (first === undefined) {
    throw new Error('A schema refuses values for no reason.');
  }
  return { objections: [first, ...others] };
}

function objectionsTo(
  values: Values,
  issue: z.core.$ZodIssue,
  { nameOf, shown = literally }: Naming,
): Objection[] {
  // Of a list that is given as one text, the whole text is to blame.
  const path = typeof values[String(issue.path[0])] === 'string' ? issue.path.slice(0, 1) : issue.path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], sentence: unknownKey(path, key, nameOf) }));
  }
  const value = valueAt(values, path);
  return [{ path, sentence: `${nameOf(path)} ${issue.message}, ${shown(path, value)}.` }];
}

const RULE_KEYS = ['include', 'exclude'];
const FILE_KEYS = ['version', ...Object.keys(settingsSchema.shape), ...SELECTION_NAMES];

function unknownKey(path: readonly PropertyKey[], key: string, nameOf: Naming['nameOf']): string {
  const isSetting = path.length === 0;
  const known = nearest(key, isSetting ? FILE_KEYS : path.length > 2 ? CRITERION_NAMES : RULE_KEYS);
  const what = isSetting ? `unknown setting ${key}` : `unknown key ${key} in ${nameOf(path)}`;
  return known === undefined ? `${what}.` : `${what}: did you mean ${known}?`;
}

function literally(_path: readonly PropertyKey[], value: unknown): string {
  return `not ${withoutSecrets(JSON.stringify(value) ?? 'nothing')}`;
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step],
    values,
  );
}

/** `targets[1].include.exe`: rules are counted from 1, as `ps` and `explain` count them. */
function keyOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step + 1}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

/** All that is wrong with a file, in its order. */
export function problemsOf(file: SettingsFile): Problem[] {
  if (file.problems.length > 0 && Object.keys(file.values).length === 0) {
    return inOrder(file.problems);
  }
  const naming: Naming = {
    nameOf: keyOf,
    // What a variable holds may be a secret.
    shown: (path, value) => {
      const written = file.writtenWithReferences(...path);
      return written === undefined ? literally(path, value) : `which the value of ${written} is not`;
    },
  };
  const checks = [
    checkSettings(withoutSelection(file.values), naming),
    checkSelection(selectionOf(file.values), naming),
  ];
  const objections = checks.flatMap((result) => ('objections' in result ? result.objections : []));
  const isToldOf = (path: readonly PropertyKey[]) => {
    const at = file.positionOf(...path);
    return file.problems.some((problem) => problem.at !== undefined && problem.at.line === at?.line);
  };
  return inOrder([
    ...file.problems,
    ...objections
      .filter(({ path }) => !isToldOf(path))
      .map(({ path, sentence }) => ({ at: file.positionOf(...path), sentence })),
  ]);
}

/** The settings of a file that are options as well. */
export function withoutSelection(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !SELECTION_NAMES.includes(name)));
}

/** The settings of a file that say which processes are observed. */
export function selectionOf(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => SELECTION_NAMES.includes(name)));
}
