import { messageOf } from '../errors.ts';
import { countOf, wholeNumber } from '../export/text.ts';
import type { GoBinary } from '../gobinary/index.ts';
import type { ProbePlan } from '../probesites/plan.ts';
import { checkedIn, disagreementsIn, type VerifyResult } from '../verify/result.ts';
import { withoutDisagreeing } from '../verify/verdict.ts';
import { Verification } from '../verify/verification.ts';
import { log } from './log.ts';
import type { ObservedTarget } from './observe.ts';
import type { Settings } from './settings.ts';

/** How long `attach --verify` waits for lookups before it observes, in milliseconds. */
const BEFORE_OBSERVING_MILLIS = 3_000;

/** Starts verifying a process as the settings say. */
export function startVerification(pid: number, binary: GoBinary, settings: Settings): Promise<Verification> {
  const { lookups, attachMethod } = settings;
  return Verification.start({ pid, binary, lookups, ...(attachMethod !== undefined && { attachMethod }) });
}

/**
 * For `attach --verify`: verifies for a short time, before anything is observed.
 *
 * @returns the plan to observe by, without the functions that disagree
 */
export async function verifyFirst(
  pid: number,
  binary: GoBinary,
  settings: Settings,
  stop: Promise<unknown>,
): Promise<ProbePlan> {
  const verification = await startVerification(pid, binary, settings);
  const result = await verification.finish(aborted(stop, elapsed(BEFORE_OBSERVING_MILLIS)));
  sayWhatWasVerified(result);
  return withoutDisagreeing(verification.plan, result.functions);
}

/**
 * For `run --verify`: verifies the program's first lookups while they are observed, so that none is missing in the report.
 * A function is left out as soon as one of its lookups disagrees.
 *
 * @returns ends the verification
 */
export async function verifyAlongside(
  observed: ObservedTarget,
  binary: GoBinary,
  settings: Settings,
): Promise<() => Promise<void>> {
  const over = new AbortController();
  const verification = await startVerification(observed.target.pid, binary, settings);
  const finished = verification
    .finish(over.signal, (found) => observed.leaveOutDisagreeing(found))
    .then((result) => {
      observed.leaveOutDisagreeing(result.functions);
      sayWhatWasVerified(result);
    })
    .catch((error) => log('warn', `The verification failed: ${messageOf(error)}`));
  return () => {
    over.abort();
    return finished;
  };
}

/** One line on stderr; the functions that disagree are named in the report. */
function sayWhatWasVerified(result: VerifyResult): void {
  const checked = checkedIn(result);
  const wrong = disagreementsIn(result);
  if (checked === 0) log('warn', 'No lookup could be verified.');
  else if (wrong === 0) log('info', `Verified ${countOf(checked, 'lookup')}: all agree.`);
  else log('warn', `${wholeNumber(wrong)} of ${countOf(checked, 'verified lookup')} disagree.`);
}

/** A signal that is aborted as soon as one of the promises is settled. */
export function aborted(...settled: readonly Promise<unknown>[]): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const promise of settled) promise.then(abort, abort);
  return controller.signal;
}

/** Resolves after some milliseconds; does not keep the process alive. */
export function elapsed(millis: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, millis).unref();
  });
}
