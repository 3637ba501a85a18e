import { EXIT, messageOf, UserError } from '../errors.ts';
import { summaryJson } from '../export/json.ts';
import { writeReport } from '../export/report.ts';
import { summaryTable } from '../export/table.ts';
import { takesColor } from '../export/text.ts';
import type { Summary } from '../model/summary-schema.ts';
import { reportLimits, type Settings } from './settings.ts';

/** Writes the summaries as they were asked for, one after the other: to the file named by --output, else to stdout. */
export async function report(summaries: readonly Summary[], settings: Settings): Promise<void> {
  const { output, format } = settings;
  const terminal = output === undefined && process.stdout.isTTY;
  const color = terminal && takesColor(process.stdout);
  const table = (summary: Summary) =>
    summaryTable(summary, {
      color,
      ...reportLimits(settings),
      ...(terminal && { width: process.stdout.columns }),
    });
  await writeText(summaries.map(format === 'json' ? summaryJson : table).join(''), output);
}

/**
 * Writes what was asked for to a file, or to stdout.
 *
 * @throws UserError when that fails
 */
export async function writeText(text: string, output: string | undefined): Promise<void> {
  try {
    await writeReport(text, output ?? process.stdout);
  } catch (error) {
    throw new UserError(
      `The report could not be written to ${output ?? 'stdout'}: ${messageOf(error)}`,
      EXIT.failed,
    );
  }
}
