import type { FunctionVerdict, NotChecked } from '../model/verification.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import type { OutcomeCounts } from './counts.ts';

/** Why nothing was predicted, by outcome. */
const UNPREDICTED: Readonly<Record<string, string>> = {
  VERIFY_UNREADABLE: 'memory unreadable',
  VERIFY_TOO_LONG: 'lookup too long',
  VERIFY_UNCERTAIN: 'equality of the key not known',
  VERIFY_NO_ROOM: 'too many lookups under way',
};

/** A prediction with none of these had no return: the target or the verification ended before it, or it panicked. */
const RETURNED = [
  'VERIFY_AGREED',
  'VERIFY_AGREED_ZERO_UNKNOWN',
  'VERIFY_DISAGREED',
  'VERIFY_SURPLUS',
] as const;

/** Puts together what became of the lookups of each probed function. */
export function verdicts(plan: ProbePlan, outcomes: readonly OutcomeCounts[]): FunctionVerdict[] {
  return plan.functions.flatMap((fn, functionIndex) => {
    if (fn.outcome !== 'probed') {
      return [];
    }
    const count = (outcome: string): number => outcomes[functionIndex]?.[outcome] ?? 0;
    const zeroUnknown = count('VERIFY_AGREED_ZERO_UNKNOWN');
    const agreed = count('VERIFY_AGREED') + zeroUnknown;
    const disagreed = count('VERIFY_DISAGREED');
    const checked = agreed + disagreed;
    const notChecked = reasons(count);
    const returns = count('VERIFY_RETURNS');
    return [{ name: fn.name, functionIndex, checked, agreed, disagreed, zeroUnknown, notChecked, returns }];
  });
}

function reasons(count: (outcome: string) => number): NotChecked {
  const returned = RETURNED.reduce((sum, outcome) => sum + count(outcome), 0);
  const all = [
    ...Object.entries(UNPREDICTED).map(([outcome, reason]) => [reason, count(outcome)] as const),
    ['interrupted between lookup and return', count('VERIFY_PREDICTED') - returned] as const,
  ];
  return Object.fromEntries(all.filter(([, times]) => times > 0));
}

/** A plan without the functions that were found to be decoded wrongly: they are refused, with the reason. */
export function withoutDisagreeing(plan: ProbePlan, found: readonly FunctionVerdict[]): ProbePlan {
  const wrong = new Map(found.filter((v) => v.disagreed > 0).map((v) => [v.functionIndex, v]));
  if (wrong.size === 0) {
    return plan;
  }
  return {
    functions: plan.functions.map((fn, i) => {
      const verdict = wrong.get(i);
      if (verdict === undefined) {
        return fn;
      }
      return { name: fn.name, entry: fn.entry, outcome: 'refused', reason: reasonFor(verdict) };
    }),
    sites: plan.sites.filter((site) => !wrong.has(site.functionIndex)),
  };
}

function reasonFor({ disagreed, checked }: FunctionVerdict): string {
  return `${disagreed} of ${checked} verified lookups returned something other than mapscope decoded`;
}
