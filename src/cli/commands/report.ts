import { readFileSync } from 'node:fs';
import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import type { SafeText } from '../../base/terminal.ts';
import { mergePages, pageFile, readPageFile } from '../../page/file.ts';
import type { PageDocument } from '../../page/format/document.ts';
import { readAssets } from '../../page/server/assets.ts';
import { summariesJson, summaryJson } from '../../report/json.ts';
import { OutputFile } from '../../report/output-file.ts';
import {
  SUMMARIES_SCHEMA,
  SUMMARY_SCHEMA,
  type Summary,
  summarySchema,
} from '../../report/summary/schema.ts';
import { summaryTable } from '../../report/table/table.ts';
import { writeText } from '../write-text.ts';

export interface ReportOptions {
  readonly format?: string | undefined;
  readonly output?: string | undefined;
}

/** A file that mapscope has written: a page, or reports as JSON. */
interface Read {
  readonly name: string;
  readonly page: PageDocument | undefined;
  readonly summaries: readonly Summary[];
}

/**
 * `mapscope report FILE...`: makes one page of several, or takes out of pages the reports that are in them. JSON reports have no
 * history: they become a table or one JSON document.
 */
export async function reportFiles(
  files: readonly string[],
  { format, output }: ReportOptions,
): Promise<void> {
  const read = files.map(readReport);
  const asPage = format === 'html' || (format === undefined && /\.html?$/i.test(output ?? ''));
  const text = asPage ? pageOf(read) : format === 'json' ? jsonOf(read) : tableOf(read);
  await writeText(text, output === undefined ? undefined : await OutputFile.open(output));
}

function pageOf(read: readonly Read[]): SafeText {
  const pages = read.map(({ name, page }) => {
    if (page === undefined) {
      throw new UserError(
        `${name} has no history, so it cannot become a page: observe with --output FILE.html.`,
        EXIT.usage,
      );
    }
    return page;
  });
  return pageFile(readAssets(), mergePages(pages));
}

function jsonOf(read: readonly Read[]): SafeText {
  const summaries = summariesOf(read);
  const [first, ...others] = summaries;
  return first !== undefined && others.length === 0 ? summaryJson(first) : summariesJson(summaries);
}

function tableOf(read: readonly Read[]): SafeText {
  const limits = { goroutines: 5, spans: 5, stream: process.stdout };
  return summariesOf(read)
    .map((summary) => summaryTable(summary, limits))
    .join('') as SafeText;
}

function summariesOf(read: readonly Read[]): Summary[] {
  const found = read.flatMap(({ summaries }) => summaries);
  if (found.length === 0) {
    throw new UserError(
      'There is no report in these files: they were saved before the observation was over.',
      EXIT.usage,
    );
  }
  return found;
}

function readReport(name: string): Read {
  let text: string;
  try {
    text = readFileSync(name, 'utf8');
  } catch (error) {
    throw new UserError(`${name} cannot be read: ${messageOf(error)}.`, EXIT.usage);
  }
  if (text.trimStart().startsWith('<')) {
    const page = readPageFile(text, name);
    const summaries = page.documents.map(({ summary }) => summary).filter((summary) => summary !== null);
    return { name, page, summaries: summaries.map((summary) => checked(summary, name)) };
  }
  return { name, page: undefined, summaries: readJson(text, name) };
}

function readJson(text: string, name: string): Summary[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new UserError(`${name} is neither a page nor a JSON report of mapscope.`, EXIT.usage);
  }
  const { schema, targets } = Object(document);
  if (schema === SUMMARIES_SCHEMA && Array.isArray(targets)) {
    return targets.map((one) => checked(one, name));
  }
  if (schema === SUMMARY_SCHEMA) {
    return [checked(document, name)];
  }
  throw new UserError(`${name} is neither a page nor a JSON report of mapscope.`, EXIT.usage);
}

/** Anybody may have written the file. */
function checked(summary: unknown, name: string): Summary {
  const result = summarySchema.safeParse(summary);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  throw new UserError(
    `${name} is no report of mapscope: ${issue?.path.join('.')}: ${issue?.message}.`,
    EXIT.usage,
  );
}
