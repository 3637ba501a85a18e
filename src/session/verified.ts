import { messageOf } from '../base/errors.ts';
import { log } from '../base/log.ts';
import { countOf, wholeNumber } from '../base/text.ts';
import type { Settings } from '../config/settings.ts';
import { checkedIn, disagreementsIn, type VerifyResult } from '../model/verification.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import { withoutDisagreeing } from '../verify/verdict.ts';
import { Verification } from '../verify/verification.ts';
import type { Prepared } from './executables.ts';
import type { ObservedTarget } from './observed-target.ts';

/** How long `attach --verify` waits for lookups before it observes, in milliseconds. */
const BEFORE_OBSERVING_MILLIS = 3_000;

/** Starts verifying a process as the settings say. */
export function startVerification(
  pid: number,
  { executable, binary, preparation }: Prepared,
  settings: Settings,
): Promise<Verification> {
  const { lookups, attachMethod } = settings;
  return Verification.start({
    pid,
    executable,
    binary,
    preparation,
    lookups,
    ...(attachMethod !== undefined && { attachMethod }),
  });
}

/**
 * For `attach --verify`: verifies for a short time, before anything is observed.
 *
 * @returns the plan to observe by, without the functions that disagree
 */
export async function verifyFirst(pid: number, opened: Prepared, settings: Settings): Promise<ProbePlan> {
  const verification = await startVerification(pid, opened, settings);
  const result = await verification.finish(AbortSignal.timeout(BEFORE_OBSERVING_MILLIS));
  sayWhatWasVerified(result);
  return withoutDisagreeing(verification.plan, result.functions);
}

/**
 * For `run --verify`: verifies the program's first lookups while they are observed, so that none is missing in the report.
 * A function is left out as soon as one of its lookups disagrees. It ends with the observation at the latest.
 */
export async function verifyAlongside(
  observed: ObservedTarget,
  opened: Prepared,
  settings: Settings,
): Promise<void> {
  const over = new AbortController();
  const verification = await startVerification(observed.target.pid, opened, settings);
  const finished = verification
    .finish(over.signal, (found) => observed.leaveOutDisagreeing(found))
    .then((result) => {
      observed.leaveOutDisagreeing(result.functions);
      sayWhatWasVerified(result);
    })
    .catch((error) => log('warn', `Verification failed: ${messageOf(error)}`));
  observed.endBefore(() => {
    over.abort();
    return finished;
  });
}

/** One line on stderr; the functions that disagree are named in the report. */
function sayWhatWasVerified(result: VerifyResult): void {
  const checked = checkedIn(result);
  const wrong = disagreementsIn(result);
  if (checked === 0) {
    log('warn', 'No lookup could be verified.');
  } else if (wrong === 0) {
    log('info', `Verified ${countOf(checked, 'lookup')}: all agree.`);
  } else {
    log('warn', `${wholeNumber(wrong)} of ${countOf(checked, 'verified lookup')} disagree.`);
  }
}
