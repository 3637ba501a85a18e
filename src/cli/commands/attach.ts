import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import { log } from '../../base/log.ts';
import type { Settings } from '../../config/settings.ts';
import { giveMemoryBack } from '../../session/memory.ts';
import { namedProcess } from '../../session/process-images.ts';
import { ProcessObserver } from '../../session/process-observer.ts';
import type { Running } from '../../session/through-execs.ts';
import type { Selection } from '../../target/finding/selection.ts';
import { chosenNow } from '../chosen.ts';
import { openPage } from '../page.ts';
import { EndingSignals, endWanted } from '../signals.ts';
import { openOutput, report, summaryOf } from '../write-reports.ts';

/** Which processes to observe: one by its id, or all that a selection includes at this moment. */
export type TargetChoice = { readonly pid: number } | { readonly selection: Selection };

/** `mapscope attach`: observes running processes until the duration is over, a signal comes, or the last one has ended. */
export async function attach(choice: TargetChoice, settings: Settings): Promise<void> {
  const pids = 'pid' in choice ? [namedProcess(choice.pid)] : chosenNow(choice.selection);
  const signals = new EndingSignals();
  const output = await openOutput(settings);
  const page = await openPage(settings);
  const observer = new ProcessObserver(settings, {
    onAttaching: () => signals.attaching(),
    withProgress: pids.length === 1,
    ...(page !== undefined && { watcher: page }),
  });
  const processes = await startAll(pids, observer, signals);
  const requested = endWanted(signals, settings);
  const isOneOfMany = processes.length > 1;
  const seen = await Promise.all(
    processes.map(async (running) => {
      const one = await observer.observe(running, requested);
      if (isOneOfMany && one.failure !== undefined) {
        const { pid } = running[0].target;
        log('warn', `Process ${pid} could not be observed to the end: ${messageOf(one.failure)}`);
      }
      return one;
    }),
  );
  signals.finishing();
  const images = seen.flatMap((process) => process.images);
  const summaries = images.map((image) => summaryOf(image, settings, page));
  if (summaries.length > 0) {
    await report(summaries, settings, output, page);
  }
  signals.done();
  // What was seen before has been reported: no failure costs anybody a report.
  const [failure, ...others] = seen.flatMap((one) => (one.failure === undefined ? [] : [one.failure]));
  if (failure !== undefined) {
    throw isOneOfMany ? partlyFailed(1 + others.length, seen.length, failure) : failure;
  }
}

/** What ends the command when some of several processes were told of already. */
function partlyFailed(failed: number, all: number, first: unknown): UserError {
  const status = first instanceof UserError ? first.exitStatus : EXIT.failed;
  return new UserError(`${failed} of ${all} processes could not be observed to the end.`, status);
}

/** Starts what can be started; of several targets one that cannot be observed does not keep the others from it. */
async function startAll(
  pids: readonly number[],
  observer: ProcessObserver,
  signals: EndingSignals,
): Promise<Running[]> {
  const started: Running[] = [];
  for (const pid of pids) {
    if (started.length > 0 && signals.isAsked) {
      break;
    }
    try {
      started.push(await observer.start(pid));
    } catch (error) {
      if (pids.length === 1) {
        throw error;
      }
      log('warn', `Process ${pid} is skipped: ${messageOf(error)}`);
    }
  }
  giveMemoryBack();
  if (started.length === 0) {
    throw new UserError('None of the processes can be observed.', EXIT.cannotObserve);
  }
  return started;
}
