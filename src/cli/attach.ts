import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, messageOf, UserError } from '../errors.ts';
import type { GoBinary } from '../gobinary/index.ts';
import { summarize } from '../model/summary.ts';
import type { Summary } from '../model/summary-schema.ts';
import { processEnd } from '../target/end.ts';
import { executableName, executablePath, findByExecutable } from '../target/process.ts';
import { Executables } from './executables.ts';
import { log } from './log.ts';
import { giveMemoryBack } from './memory.ts';
import type { ObservedTarget } from './observe.ts';
import { report } from './report.ts';
import { reportLimits, type Settings } from './settings.ts';
import { type StopRequest, stopRequested } from './signals.ts';

/** Which processes to observe: one by its id, or all whose executable matches. */
export type TargetChoice = { readonly pid: number } | { readonly exe: string };

/** `mapscope attach`: observes running processes until the duration is over, a signal comes, or the last one has ended. */
export async function attach(choice: TargetChoice, settings: Settings): Promise<void> {
  const pids = 'pid' in choice ? [choice.pid] : findByExecutable(choice.exe);
  if (pids.length === 0)
    throw new UserError(`No process runs an executable that matches ${noun(choice)}.`, EXIT.cannotObserve);
  const stop = stopRequested();
  const targets = await startAll(pids, settings, stop);
  const failures: unknown[] = [];
  for (const target of targets) void target.failed.then((error) => failures.push(error));
  const summaries = await Promise.all(targets.map((target) => observe(target, settings, stop)));
  stop.done();
  await report(summaries, settings);
  // What was seen before has been reported.
  if (failures.length > 0) throw failures[0];
}

function noun(choice: TargetChoice): string {
  return 'exe' in choice ? choice.exe : String(choice.pid);
}

/** Starts what can be started; of several targets one that cannot be observed does not keep the others from it. */
async function startAll(
  pids: readonly number[],
  settings: Settings,
  stop: StopRequest,
): Promise<ObservedTarget[]> {
  const started: ObservedTarget[] = [];
  const executables = new Executables(settings);
  for (const pid of pids) {
    try {
      const shown = `Process ${pid} (${executableName(pid)})`;
      // While another process prepares, there is time to load what exports.
      const [prepared, { ObservedTarget }] = await Promise.all([
        executables.open(executablePath(pid), shown),
        import('./observe.ts'),
      ]);
      const plan = settings.verify ? await verified(pid, prepared.binary, settings, stop) : undefined;
      started.push(await ObservedTarget.start(pid, prepared, settings, pids.length === 1, plan));
    } catch (error) {
      if (pids.length === 1) throw error;
      log('warn', `Process ${pid} is left out: ${messageOf(error)}`);
    }
  }
  giveMemoryBack();
  if (started.length === 0) throw new UserError('None of the processes can be observed.', EXIT.cannotObserve);
  return started;
}

/** Verifies before anything is observed. What that takes is only loaded when it is asked for. */
async function verified(pid: number, binary: GoBinary, settings: Settings, stop: StopRequest) {
  const { verifyFirst } = await import('./verified.ts');
  return verifyFirst(pid, binary, settings, stop.requested);
}

async function observe(observed: ObservedTarget, settings: Settings, stop: StopRequest): Promise<Summary> {
  const over = new AbortController();
  const waiting: Promise<unknown>[] = [
    stop.requested,
    observed.failed,
    endOf(observed.target.pid, over.signal),
  ];
  if (settings.duration !== undefined)
    waiting.push(delay(settings.duration, undefined, { signal: over.signal }));
  await Promise.race(waiting.map((promise) => promise.catch(() => {})));
  over.abort();
  const snapshot = await observed.stop();
  return summarize(observed.target, settings.mode, snapshot, reportLimits(settings));
}

/** Resolves when a target has ended. Where that cannot be known, the observation goes on until something else ends it. */
async function endOf(pid: number, signal: AbortSignal): Promise<void> {
  try {
    await processEnd(pid, signal);
  } catch (error) {
    log('warn', `The end of process ${pid} will not be noticed: ${messageOf(error)}.`);
    await new Promise<never>(() => {});
  }
}
