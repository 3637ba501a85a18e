import { problemsOf } from './check.ts';
import { refusal } from './file/problem.ts';
import { readSettingsFile, type SettingsFile } from './file/settings-file.ts';

/** Without a file nothing is set. */
const NOTHING: SettingsFile = {
  path: '',
  values: {},
  written: {},
  problems: [],
  positionOf: () => undefined,
  writtenWithReferences: () => undefined,
};

/**
 * Reads a file whose settings are to be used.
 *
 * @param path a file that was read is taken as it is; undefined: there is none
 * @throws UserError (usage) that names the file, the line and the key at fault
 */
export function readConfig(path: string | SettingsFile | undefined): SettingsFile {
  if (typeof path !== 'string') {
    return path ?? NOTHING;
  }
  const file = readSettingsFile(path);
  const [first, ...others] = problemsOf(file);
  if (first !== undefined) {
    throw refusal(path, [first, ...others]);
  }
  return file;
}
