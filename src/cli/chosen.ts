import { EXIT, UserError } from '../base/errors.ts';
import { processFacts } from '../target/finding/process-facts.ts';
import { processes } from '../target/finding/process-finder.ts';
import { decide, decisionInWords, ruleInWords, type Selection } from '../target/finding/selection.ts';
import { mayTrace } from '../target/rights.ts';

/**
 * The processes that a selection includes now.
 *
 * @throws UserError when there is none, with those that an exclusion left out
 */
export function chosenNow(selection: Selection): number[] {
  const decided = processes().map((pid) => ({ pid, decision: decide(processFacts(pid), selection) }));
  const chosen = decided.filter(({ decision }) => decision.observe).map(({ pid }) => pid);
  if (chosen.length > 0) {
    return chosen;
  }
  const excluded = decided
    .filter(({ decision }) => decision.exclusion !== undefined)
    .map(({ pid, decision }) => ` Process ${pid} is left out: ${decisionInWords(decision, selection)}.`);
  const others = mayTrace() ? '' : ' Those of other users were not looked at, which takes CAP_SYS_PTRACE.';
  throw new UserError(
    `No running process ${noun(selection)}.${excluded.join('')}${others}`,
    EXIT.cannotObserve,
  );
}

/** What none of them is, as the rest of a sentence. */
function noun({ rules }: Selection): string {
  const [first, ...others] = rules;
  const { exe, ...more } = first?.criteria ?? {};
  return exe !== undefined && others.length === 0 && Object.keys(more).length === 0
    ? `has an executable that matches ${exe}`
    : `is included: ${rules.map(ruleInWords).join('; ')}`;
}
