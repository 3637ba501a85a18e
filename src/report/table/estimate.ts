import { percent, wholeNumber } from '../../base/text.ts';
import type { Summary } from '../summary/schema.ts';

/** From here on the sentence says that the estimate may be too low. */
const WORTH_SAYING = 0.1;

/** How many lookups were made, as far as that is known, in one line; nothing where all of them were counted. */
export function estimateLines({ observed, overhead, mode }: Summary): string[] {
  const { relativeError, underestimate } = overhead;
  if (mode === 'all' || observed.lookups === 0) {
    return [];
  }
  if (relativeError === null || underestimate === null) {
    return ['How many lookups were made in all is not known: there were too few windows to estimate it.'];
  }
  const made = observed.estimatedLookups;
  const error = `give or take ${percent(relativeError, 1)} %`;
  if (underestimate < WORTH_SAYING) {
    return [`About ${rounded(made)} lookups were made in all, ${error}.`];
  }
  if (underestimate === 1) {
    return [
      `At least ${rounded(made)} lookups were made in all, ${error}. How many more is not known: decoding took nearly all of the CPU time of windows.`,
    ];
  }
  const most = rounded(made / (1 - underestimate));
  return [
    `At least ${rounded(made)} lookups were made in all, ${error}, and up to ${most} if the program does little else: windows slow it down.`,
  ];
}

/** What is said of a number that is not certain: its first two digits. */
function rounded(count: number): string {
  return wholeNumber(Number(count.toPrecision(2)));
}
