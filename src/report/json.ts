import { jsonLineOf, jsonOf, type SafeText } from '../base/terminal.ts';
import { SUMMARIES_SCHEMA, type Summary } from './summary/schema.ts';

/** The summary as indented text, with each list of numbers on one line. It ends with a newline. */
export function summaryJson(summary: Summary): SafeText {
  return compact(jsonOf(summary));
}

/** The summaries of several targets as one document. */
export function summariesJson(targets: readonly Summary[]): SafeText {
  return compact(jsonOf({ schema: SUMMARIES_SCHEMA, targets }));
}

/** Each summary in a line of its own. */
export function summaryLines(summaries: readonly Summary[]): SafeText {
  return summaries.map((summary) => jsonLineOf(summary)).join('') as SafeText;
}

function compact(indented: SafeText): SafeText {
  // JSON strings contain no line break, so only real arrays match.
  return indented.replace(/\[\n[\s\d.,e+-]*\n\s*\]/g, (array) =>
    array.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  ) as SafeText;
}
