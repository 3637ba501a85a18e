import { once } from 'node:events';
import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import { log } from '../../base/log.ts';
import { timeLimit } from '../../base/time-limit.ts';
import { reportLimits, type Settings } from '../../config/settings.ts';
import { summarize } from '../../report/summary/summarize.ts';
import { Executables, type Prepared, perImage } from '../../session/executables.ts';
import { giveMemoryBack } from '../../session/memory.ts';
import type { Watcher } from '../../session/observed-target.ts';
import { namedProcess, startEach } from '../../session/process-images.ts';
import {
  observeThroughExecs,
  type ProcessEnd,
  type Running,
  type SeenProcess,
  startOnImage,
} from '../../session/through-execs.ts';
import { processEnd } from '../../target/end.ts';
import { findByExecutable } from '../../target/process.ts';
import { mayTrace } from '../../target/rights.ts';
import { openPage } from '../page.ts';
import { EndingSignals } from '../signals.ts';
import { openOutput, report } from '../write-reports.ts';

/** Which processes to observe: one by its id, or all whose executable matches. */
export type TargetChoice = { readonly pid: number } | { readonly exe: string };

/** `mapscope attach`: observes running processes until the duration is over, a signal comes, or the last one has ended. */
export async function attach(choice: TargetChoice, settings: Settings): Promise<void> {
  const pids = 'pid' in choice ? [namedProcess(choice.pid)] : findByExecutable(choice.exe);
  if (pids.length === 0) {
    const others = mayTrace() ? '' : ' Those of other users were not looked at, which takes CAP_SYS_PTRACE.';
    throw new UserError(
      `No running process has an executable that matches ${noun(choice)}.${others}`,
      EXIT.cannotObserve,
    );
  }
  const signals = new EndingSignals();
  const output = await openOutput(settings);
  const page = await openPage(settings);
  const executables = new Executables(settings);
  const start = (pid: number) => startImages(pid, executables, settings, signals, pids.length === 1, page);
  const processes = await startAll(pids, start, signals);
  const requested = signals.observing();
  const seen = await Promise.all(processes.map((running) => observe(running, settings, requested, start)));
  signals.finishing();
  const images = seen.flatMap((process) => process.images);
  const summaries = images.map(({ target, snapshot }) => {
    const summary = summarize(target, settings.mode, snapshot, reportLimits(settings));
    page?.setSummary(target, summary);
    return summary;
  });
  await report(summaries, settings, output, page);
  signals.done();
  // What was seen before has been reported.
  const failed = seen.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) {
    throw failed.failure;
  }
}

function noun(choice: TargetChoice): string {
  return 'exe' in choice ? choice.exe : String(choice.pid);
}

/** Starts what can be started; of several targets one that cannot be observed does not keep the others from it. */
async function startAll(
  pids: readonly number[],
  start: (pid: number) => Promise<Running>,
  signals: EndingSignals,
): Promise<Running[]> {
  const started: Running[] = [];
  for (const pid of pids) {
    if (started.length > 0 && signals.isAsked) {
      break;
    }
    try {
      started.push(await startOnImage(pid, start));
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

/** Observes what a process runs at this moment. */
async function startImages(
  pid: number,
  executables: Executables,
  settings: Settings,
  signals: EndingSignals,
  withProgress: boolean,
  watcher: Watcher | undefined,
): Promise<Running> {
  // While another process prepares, there is time to load what exports.
  const [images] = await Promise.all([
    executables.openImages(pid),
    import('../../session/observed-target.ts'),
  ]);
  const shared = perImage(settings, images);
  return await startEach(images, async (prepared) => {
    signals.attaching();
    const plan = settings.verify ? await verified(pid, prepared, settings) : undefined;
    const { ObservedTarget } = await import('../../session/observed-target.ts');
    const showsProgress = withProgress && images.length === 1;
    return await ObservedTarget.start(pid, prepared, shared, showsProgress, plan, watcher);
  });
}

/** Verifies before anything is observed. What that takes is only loaded when it is asked for. */
async function verified(pid: number, opened: Prepared, settings: Settings) {
  const { verifyFirst } = await import('../../session/verified.ts');
  return verifyFirst(pid, opened, settings);
}

async function observe(
  running: Running,
  settings: Settings,
  requested: Promise<void>,
  start: (pid: number) => Promise<Running>,
): Promise<SeenProcess> {
  const over = new AbortController();
  const waiting = [requested.then(nothing), endOf(running[0].target.pid, over.signal)];
  if (settings.duration !== undefined) {
    const duration = once(timeLimit(settings.duration), 'abort', { signal: over.signal });
    waiting.push(duration.then(nothing));
  }
  const finished = Promise.race(waiting.map((promise) => promise.catch(nothing)));
  try {
    return await observeThroughExecs(running, finished, start);
  } finally {
    over.abort();
  }
}

/** Resolves when a target has ended. Where that cannot be known, the observation goes on until something else ends it. */
async function endOf(pid: number, signal: AbortSignal): Promise<ProcessEnd | undefined> {
  try {
    return await processEnd(pid, signal);
  } catch (error) {
    log('warn', `mapscope will not notice when process ${pid} ends: ${messageOf(error)}.`);
    return await new Promise<never>(() => {});
  }
}

/** Nobody's process has ended. */
function nothing(): undefined {}
