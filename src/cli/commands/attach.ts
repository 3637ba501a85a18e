import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import { log } from '../../base/log.ts';
import { reportLimits, type Settings } from '../../config/settings.ts';
import { summarize } from '../../report/summary/summarize.ts';
import { giveMemoryBack } from '../../session/memory.ts';
import { namedProcess } from '../../session/process-images.ts';
import { ProcessObserver } from '../../session/process-observer.ts';
import type { Running } from '../../session/through-execs.ts';
import type { Selection } from '../../target/finding/selection.ts';
import { chosenNow } from '../chosen.ts';
import { EndingSignals, endWanted } from '../signals.ts';
import { openOutput, report } from '../write-reports.ts';

/** Which processes to observe: one by its id, or all that a selection includes at this moment. */
export type TargetChoice = { readonly pid: number } | { readonly selection: Selection };

/** `mapscope attach`: observes running processes until the duration is over, a signal comes, or the last one has ended. */
export async function attach(choice: TargetChoice, settings: Settings): Promise<void> {
  const pids = 'pid' in choice ? [namedProcess(choice.pid)] : chosenNow(choice.selection);
  const signals = new EndingSignals();
  const output = await openOutput(settings);
  const observer = new ProcessObserver(settings, {
    onAttaching: () => signals.attaching(),
    withProgress: pids.length === 1,
  });
  const processes = await startAll(pids, observer, signals);
  const requested = endWanted(signals, settings);
  const seen = await Promise.all(processes.map((running) => observer.observe(running, requested)));
  signals.finishing();
  const images = seen.flatMap((process) => process.images);
  await report(
    images.map(({ target, snapshot }) => summarize(target, settings.mode, snapshot, reportLimits(settings))),
    settings,
    output,
  );
  signals.done();
  // What was seen before has been reported.
  const failed = seen.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) {
    throw failed.failure;
  }
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
