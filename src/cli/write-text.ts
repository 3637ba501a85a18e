import { EXIT, messageOf, UserError } from '../base/errors.ts';
import type { SafeText } from '../base/terminal.ts';
import type { OutputFile } from '../report/output-file.ts';
import { writeReport } from '../report/write.ts';

/**
 * Writes what was asked for to a file, or to stdout, and what the file does not take to stdout as well: it took long to see.
 *
 * @throws UserError when that fails
 */
export async function writeText(text: SafeText, output: OutputFile | undefined): Promise<void> {
  try {
    await writeReport(text, output ?? process.stdout);
  } catch (error) {
    const where = output === undefined ? 'stdout' : `${output.path}, so it is on stdout`;
    if (output !== undefined) {
      await writeText(text, undefined);
    }
    throw new UserError(`The report could not be written to ${where}: ${messageOf(error)}.`, EXIT.failed);
  }
}
