import type { Summary } from '../model/summary-schema.ts';

/** The summary as text: indented, except that lists of numbers take one line. Ends with a newline. */
export function summaryJson(summary: Summary): string {
  const indented = JSON.stringify(summary, undefined, 2);
  // A line break never stands inside a JSON string, so only real arrays match.
  const compact = indented.replace(/\[\n[\s\d.,e+-]*\n\s*\]/g, (array) =>
    array.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  );
  return `${compact}\n`;
}
