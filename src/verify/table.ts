import { callSiteText, countOf, duration, printable, wholeNumber } from '../export/text.ts';
import type { Target } from '../model/target.ts';
import {
  checkedIn,
  type Disagreement,
  disagreementsIn,
  type FunctionVerdict,
  type VerifyResult,
} from './result.ts';
import { hasHadEnough } from './verdict.ts';

const HEADER = ['lookup function', 'checked', 'agreed', 'disagreed', 'not checked'] as const;

/** The result for people: a line per lookup function, the first disagreements, and the verdict. */
export function verifyTable(target: Target, result: VerifyResult): string {
  const rows = [[...HEADER], ...result.functions.map((verdict) => row(verdict, result.wanted))];
  const disagreements = result.disagreements.flatMap(disagreementLines);
  const paragraphs = [
    targetLine(target),
    aligned(rows).join('\n'),
    notes(result).join('\n'),
    disagreements.join('\n'),
    conclusion(result),
  ];
  return `${paragraphs.filter((text) => text !== '').join('\n\n')}\n`;
}

function targetLine({ exe, pid, goVersion, mapImplementation, stripped }: Target): string {
  const maps = mapImplementation === 'swiss' ? 'Swiss maps' : 'classic maps';
  const facts = [`pid ${pid}`, goVersion, maps, ...(stripped ? ['stripped'] : [])];
  return printable(`${exe} (${facts.join(', ')})`);
}

function row(verdict: FunctionVerdict, wanted: number): string[] {
  const { name, checked, agreed, disagreed } = verdict;
  return [shortName(name), ...[checked, agreed, disagreed].map(wholeNumber), remark(verdict, wanted)];
}

/** Why lookups of a function were not checked, or why there were fewer than wanted. */
function remark(verdict: FunctionVerdict, wanted: number): string {
  const { checked, notChecked, returns } = verdict;
  const reasons = Object.entries(notChecked).map(([reason, count]) => `${wholeNumber(count)} ${reason}`);
  if (returns === 0 && reasons.length === 0) return 'never called';
  if (checked === 0 && reasons.length === 0) return 'called for nil or empty maps only';
  if (checked < wanted && hasHadEnough(verdict, wanted)) reasons.push('called mostly for nil or empty maps');
  if (checked < wanted && reasons.length === 0) return 'not called more often';
  return reasons.join(', ');
}

function shortName(name: string): string {
  return printable(name.replace(/^runtime\./, ''));
}

/** Columns of equal width: the names to the left, the numbers to the right, the remarks as they are. */
function aligned(rows: readonly string[][]): string[] {
  const widths = HEADER.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : column < HEADER.length - 1 ? cell.padStart(width) : cell;
      })
      .join('  ')
      .trimEnd(),
  );
}

function notes({ functions, delegates, refused }: VerifyResult): string[] {
  const zeroUnknown = functions.reduce((sum, verdict) => sum + verdict.zeroUnknown, 0);
  return [
    ...delegates.map(({ name, to }) => `${shortName(name)} calls ${shortName(to)}, which is checked there.`),
    ...refused.map(({ name, reason }) => `${shortName(name)} cannot be observed: ${printable(reason)}.`),
    ...(zeroUnknown > 0
      ? [
          `Of ${countOf(zeroUnknown, 'miss', 'misses')} it is known only that no element was returned: runtime.zeroVal was not found.`,
        ]
      : []),
  ];
}

function disagreementLines({ function: name, type, callSite, expected, returned }: Disagreement): string[] {
  return [
    `${shortName(name)} in ${printable(type)} at ${callSiteText(callSite)}`,
    `  decoded:  ${expectation(name, expected)}`,
    `  returned: ${returnedText(name, returned)}`,
  ];
}

function expectation(name: string, expected: Disagreement['expected']): string {
  if (expected === undefined) return 'a miss';
  const key = name.includes('mapaccessK') ? `the key at ${hex(expected.key)}, ` : '';
  return `a hit, ${key}the element at ${hex(expected.elem)}`;
}

function returnedText(name: string, [first, second]: Disagreement['returned']): string {
  if (name.includes('mapaccessK')) return `${hex(first)} and ${hex(second)}`;
  // Only the low eight bits of a bool's register mean something.
  const flag = (second & 0xffn) === 0n ? 'a miss' : 'a hit';
  return name.includes('mapaccess2') ? `${flag}, ${hex(first)}` : hex(first);
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}

function conclusion(result: VerifyResult): string {
  const checked = checkedIn(result);
  const wrong = disagreementsIn(result);
  const time = `in ${duration(result.seconds)}`;
  if (checked === 0) return `No lookup could be checked ${time}.`;
  if (wrong === 0)
    return `${countOf(checked, 'lookup')} checked ${time}: each was decoded to what the function returned.`;
  return `${wholeNumber(wrong)} of ${countOf(checked, 'lookup')} disagree: what mapscope reports of these functions is wrong.`;
}
