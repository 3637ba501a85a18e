import { callSiteText } from '../base/call-site.ts';
import { type SafeText, textOf } from '../base/terminal.ts';
import { countOf, duration, wholeNumber } from '../base/text.ts';
import type { Target } from '../model/target.ts';
import {
  checkedIn,
  type Disagreement,
  disagreementsIn,
  type FunctionVerdict,
  hasHadEnough,
  type VerifyResult,
} from '../model/verification.ts';
import { plainTable } from './table/plain-table.ts';
import { targetLine } from './table/text.ts';

const HEADER = ['lookup function', 'checked', 'agreed', 'disagreed', 'not checked'] as const;

/** The result for people: a line per lookup function, the first disagreements, and the verdict. */
export function verifyTable(target: Target, result: VerifyResult): SafeText {
  const rows = [[...HEADER], ...result.functions.map((verdict) => row(verdict, result.wanted))];
  const paragraphs = [
    [targetLine(target)],
    plainTable(rows, isNumber),
    notes(result),
    result.disagreements.flatMap(disagreementLines),
    [conclusion(result)],
  ];
  const lines = paragraphs.filter(({ length }) => length > 0).flatMap((paragraph) => ['', ...paragraph]);
  return textOf(lines.slice(1));
}

/** All columns but the first, the names, and the last, the remarks. */
function isNumber(column: number): boolean {
  return column > 0 && column < HEADER.length - 1;
}

function row(verdict: FunctionVerdict, wanted: number): string[] {
  const { name, checked, agreed, disagreed } = verdict;
  return [shortName(name), ...[checked, agreed, disagreed].map(wholeNumber), remark(verdict, wanted)];
}

/** Why no lookup of a function was checked, or fewer than wanted. */
function remark(verdict: FunctionVerdict, wanted: number): string {
  const { checked, notChecked, returns } = verdict;
  const reasons = Object.entries(notChecked).map(([reason, count]) => `${wholeNumber(count)} ${reason}`);
  if (returns === 0 && reasons.length === 0) {
    return 'never called';
  }
  if (checked === 0 && reasons.length === 0) {
    return 'called for nil or empty maps only';
  }
  if (checked < wanted && hasHadEnough(verdict, wanted)) {
    reasons.push('called mostly for nil or empty maps');
  }
  if (checked < wanted && reasons.length === 0) {
    return 'not called more often';
  }
  return reasons.join(', ');
}

function shortName(name: string): string {
  return name.replace(/^runtime\./, '');
}

function notes({ functions, delegates, refused }: VerifyResult): string[] {
  const zeroUnknown = functions.reduce((sum, verdict) => sum + verdict.zeroUnknown, 0);
  return [
    ...delegates.map(({ name, to }) => `${shortName(name)} calls ${shortName(to)}, which is checked there.`),
    ...refused.map(({ name, reason }) => `${shortName(name)} cannot be observed: ${reason}.`),
    ...(zeroUnknown > 0
      ? [
          `For ${countOf(zeroUnknown, 'miss', 'misses')} only the absence of an element was checked: runtime.zeroVal was not found.`,
        ]
      : []),
  ];
}

function disagreementLines({ function: name, type, callSite, expected, returned }: Disagreement): string[] {
  return [
    `${shortName(name)} in ${type} at ${callSiteText(callSite)}`,
    `  decoded:  ${expectation(name, expected)}`,
    `  returned: ${returnedText(name, returned)}`,
  ];
}

function expectation(name: string, expected: Disagreement['expected']): string {
  if (expected === undefined) {
    return 'a miss';
  }
  const key = name.includes('mapaccessK') ? `the key at ${hex(expected.key)}, ` : '';
  return `a hit, ${key}the element at ${hex(expected.elem)}`;
}

function returnedText(name: string, [first, second]: Disagreement['returned']): string {
  if (name.includes('mapaccessK')) {
    return `${hex(first)} and ${hex(second)}`;
  }
  // Only the low eight bits of a register that holds a bool are defined.
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
  if (checked === 0) {
    return `No lookup could be checked ${time}.`;
  }
  if (wrong === 0) {
    return `${countOf(checked, 'lookup')} checked ${time}: each agrees with what the function returned.`;
  }
  return `${wholeNumber(wrong)} of ${countOf(checked, 'lookup')} disagree: what mapscope reports for these functions is wrong.`;
}
