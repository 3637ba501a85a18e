import { EXIT, messageOf, UserError } from '../base/errors.ts';
import { columnsOf, type SafeText } from '../base/terminal.ts';
import { reportLimits, type Settings } from '../config/settings.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import type { Page } from '../page/page.ts';
import { summariesJson, summaryJson, summaryLines } from '../report/json.ts';
import { OutputFile } from '../report/output-file.ts';
import type { Summary } from '../report/summary/schema.ts';
import { summarize } from '../report/summary/summarize.ts';
import { summaryTable } from '../report/table/table.ts';
import { writeText } from './write-text.ts';

/**
 * Opens the file named by --output, before anything is observed. @returns undefined for stdout
 *
 * @throws UserError when it cannot be written
 */
export async function openOutput({ output }: Settings): Promise<OutputFile | undefined> {
  if (output === undefined) {
    return undefined;
  }
  try {
    return await OutputFile.open(output);
  } catch (error) {
    throw new UserError(`The report cannot be written to ${output}: ${messageOf(error)}.`, EXIT.usage);
  }
}

/**
 * What the report says of an image, which the page shows, too.
 *
 * @param ended the target with how it has ended, where that is known
 */
export function summaryOf(
  { target, snapshot }: { readonly target: Target; readonly snapshot: Snapshot },
  settings: Settings,
  page: Page | undefined,
  ended = target,
): Summary {
  const summary = summarize(ended, settings.mode, snapshot, reportLimits(settings));
  page?.setSummary(target, summary);
  return summary;
}

/** Writes the summaries as they were asked for: tables one after the other, one JSON document, a line of JSON each, or the page in a file. */
export async function report(
  summaries: readonly Summary[],
  settings: Settings,
  output: OutputFile | undefined,
  page: Page | undefined,
): Promise<void> {
  await writeText(textOfAll(summaries, settings, output, page), output);
  await page?.close();
}

function textOfAll(
  summaries: readonly Summary[],
  settings: Settings,
  output: OutputFile | undefined,
  page: Page | undefined,
): SafeText {
  switch (settings.format) {
    case 'json':
      return json(summaries);
    case 'jsonl':
      return summaryLines(summaries);
    case 'html':
      // Whoever asks for it has opened the page.
      return page?.file() ?? tables(summaries, settings, output);
    case 'table':
      return tables(summaries, settings, output);
  }
}

function json(summaries: readonly Summary[]): SafeText {
  const [first, ...others] = summaries;
  return first !== undefined && others.length === 0 ? summaryJson(first) : summariesJson(summaries);
}

function tables(summaries: readonly Summary[], settings: Settings, output: OutputFile | undefined): SafeText {
  const { top, by, sort, filter } = settings;
  const terminal = output === undefined && process.stdout.isTTY ? columnsOf(process.stdout) : undefined;
  const width = settings.width ?? terminal;
  const options = {
    ...reportLimits(settings),
    ...{ top, by, sort, filter },
    ...(output === undefined && { stream: process.stdout }),
    ...(width !== undefined && { width }),
  };
  return summaries.map((summary) => summaryTable(summary, options)).join('') as SafeText;
}
