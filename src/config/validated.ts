import { problemsOf, withoutSelection } from './check.ts';
import type { Problem } from './file/problem.ts';
import { readSettingsFile } from './file/settings-file.ts';
import { OPTIONS } from './options.ts';
import { settingsSchema } from './schema.ts';
import { SELECTION_NAMES } from './selection-schema.ts';
import { conflictIn } from './settings.ts';

/** The keys that a configuration file may have. */
export const KEYS: readonly string[] = ['version', ...Object.keys(OPTIONS), ...SELECTION_NAMES];

/** All that is wrong with a file, in its order: also what is wrong only of two settings together. @throws UserError when it cannot be read */
export function problemsInFile(path: string): Problem[] {
  const file = readSettingsFile(path);
  const problems = problemsOf(file);
  if (problems.length > 0) {
    return problems;
  }
  // Some commands verify anyway.
  const conflict = conflictIn({ ...settingsSchema.parse(withoutSelection(file.values)), verify: true });
  return conflict === undefined ? [] : [{ sentence: conflict }];
}
