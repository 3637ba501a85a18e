import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import { jsonOf, ownText, STDERR, textOf } from '../../base/terminal.ts';
import type { SelectionOptions } from '../../config/criteria.ts';
import { migrate } from '../../config/file/migration.ts';
import { type Problem, problemLine } from '../../config/file/problem.ts';
import { readConfiguration } from '../../config/file/settings-file.ts';
import type { RawOptions } from '../../config/settings.ts';
import { effectiveSettings } from '../../config/shown/effective.ts';
import { type Explained, explained } from '../../config/shown/explained.ts';
import { settingsDocument, settingsYaml } from '../../config/shown/printed.ts';
import { KEYS, problemsInFile } from '../../config/validated.ts';
import { OutputFile } from '../../report/output-file.ts';
import { writeText } from '../write-text.ts';

/** `mapscope config validate FILE`: each mistake is a line `FILE:LINE:COLUMN: sentence` on stderr, as compilers have it. */
export async function validate(path: string): Promise<void> {
  const problems = problemsInFile(path);
  if (problems.length > 0) {
    throw refused(path, problems);
  }
  await writeText(textOf([`${path} is valid.`]), undefined);
}

/** Says all but the last problem. @returns what ends the command */
function refused(path: string, problems: readonly Problem[]): UserError {
  STDERR.write(...problems.map((problem) => problemLine(path, problem)));
  const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
  return new UserError(`${path} is not valid: ${count}.`, EXIT.usage);
}

/** `mapscope config print`: what would be in force. */
export async function print(
  settings: RawOptions,
  selection: SelectionOptions,
  { origin, format }: { readonly origin: boolean; readonly format: 'yaml' | 'json' },
): Promise<void> {
  const effective = effectiveSettings(settings, selection);
  const text =
    format === 'json'
      ? jsonOf(settingsDocument(effective))
      : textOf(settingsYaml(effective, origin).trimEnd().split('\n'));
  await writeText(text, undefined);
}

/** `mapscope config explain KEY`. */
export async function explainKey(key: string): Promise<void> {
  await writeText(textOf(explanation(explained(key))), undefined);
}

function explanation({ key, meaning, type, example, option, variable, ...rest }: Explained): string[] {
  return [
    `${key}: ${meaning}`,
    `  type      ${type}`,
    `  default   ${rest.default}`,
    `  option    ${option ?? 'none'}`,
    `  variable  ${variable ?? 'none'}`,
    '  example',
    ...example.split('\n').map((line) => `    ${line}`),
  ];
}

/** `mapscope config migrate FILE`: to stdout, or in place of the file, as a whole. What was changed is said on stderr. */
export async function migrateFile(path: string, write: boolean): Promise<void> {
  const result = migrate(path, readConfiguration(path), KEYS);
  if (!('changes' in result)) {
    throw refused(path, result);
  }
  const { text, changes } = result;
  STDERR.write(...(changes.length === 0 ? [`${path} is of the present version.`] : changes));
  if (!write) {
    await writeText(ownText(text, process.stdout), undefined);
  } else if (changes.length > 0) {
    await replace(path, text);
  }
}

async function replace(path: string, text: string): Promise<void> {
  try {
    const file = await OutputFile.open(path);
    await file.write(text);
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${messageOf(error)}.`, EXIT.failed);
  }
}
