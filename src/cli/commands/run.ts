import { once } from 'node:events';
import { timeLimit } from '../../base/time-limit.ts';
import type { Settings } from '../../config/settings.ts';
import type { ExitStatus } from '../../kernel/addon.ts';
import { Executables, namesOf, type Prepared, perImage } from '../../session/executables.ts';
import { laterImages } from '../../session/later-images.ts';
import { type Launched, type LaunchOptions, launch } from '../../session/launch.ts';
import { giveMemoryBack } from '../../session/memory.ts';
import type { ObservedTarget } from '../../session/observed-target.ts';
import { startEach } from '../../session/process-images.ts';
import { endedAs, findProgram, type openTarget } from '../../session/target.ts';
import { observeThroughExecs, type ProcessEnd, type Running } from '../../session/through-execs.ts';
import { processEnd } from '../../target/end.ts';
import { openPage } from '../page.ts';
import { EndingSignals } from '../signals.ts';
import { openOutput, report, summaryOf } from '../write-reports.ts';
import { endBeforeReport } from './program-end.ts';

/**
 * `mapscope run -- PROGRAM ARGS`: starts a program, and observes it, or the first Go program that it executes or starts, from the
 * first instruction on; reports when that has ended. With a duration the observation ends earlier, and a report to a file is written
 * then, but mapscope still waits for the program to end.
 *
 * @param open how the program's file is opened; tests give a function that falsifies what is in it
 */
export async function run(
  program: string,
  args: readonly string[],
  settings: Settings,
  open?: typeof openTarget,
): Promise<void> {
  const path = findProgram(program);
  const signals = new EndingSignals();
  const output = await openOutput(settings);
  const page = await openPage(settings);
  const executables = new Executables(settings);
  // While another process prepares, there is time to load what exports.
  const [launched, { ObservedTarget }] = await Promise.all([
    launch(
      { path, program, args },
      {
        ...opener(executables, settings, open),
        onRunning: (started) => signals.handOnTo(started),
      },
    ),
    import('../../session/observed-target.ts'),
  ]);
  const { pid, started, exit, opened: images } = launched;
  const observed: ObservedTarget[] = [];
  const start = async (pid: number, image: Prepared, shared: Settings) => {
    const one = await ObservedTarget.start(pid, image, shared, false, undefined, page);
    observed.push(one);
    if (settings.verify) {
      const { verifyAlongside } = await import('../../session/verified.ts');
      await verifyAlongside(one, image, settings);
    }
    return one;
  };
  let running: Running;
  try {
    signals.attaching();
    const shared = perImage(settings, images);
    running = await startEach(images, (image) => start(pid, image, shared));
    signals.throwIfAsked();
  } catch (error) {
    // What is to be observed has not executed anything yet.
    launched.kill();
    await Promise.all(observed.map((one) => one.stop()));
    throw error;
  }
  giveMemoryBack();
  signals.handOnTo(started);
  const ended = targetEnd(launched, exit, signals);
  launched.letRun();
  const finished =
    settings.duration === undefined
      ? ended
      : Promise.race([ended, once(timeLimit(settings.duration), 'abort').then(() => undefined)]);
  const startNext = async () => {
    const next = await executables.openImages(pid);
    const shared = perImage(settings, next);
    return await startEach(next, (image) => ObservedTarget.start(pid, image, shared, false, undefined, page));
  };
  const later = laterImages(executables, () => settings, start);
  const { images: seen, failure } = await observeThroughExecs(running, finished, startNext, later);
  const end = await endBeforeReport(program, exit, output);
  if (end !== undefined && pid !== started) {
    signals.finishing();
  }
  const summaries = seen.map((image) => {
    // The process ended as the last program that it executed. How a child of the program has ended is not known.
    const isEnd = image.program === seen.at(-1)?.program && pid === started && end !== undefined;
    return summaryOf(image, settings, page, isEnd ? endedAs(image.target, end) : image.target);
  });
  try {
    if (summaries.length > 0) {
      await report(summaries, settings, output, page);
    }
  } finally {
    await exit;
  }
  signals.done();
  // What was seen before has been reported.
  if (failure !== undefined) {
    throw failure;
  }
}

/** What is to be observed of a process: at least one image. */
export type Images = readonly [Prepared, ...Prepared[]];

/**
 * Reads files of programs, and plans: nothing where there are no map lookups.
 *
 * @param open how a program's file is opened; tests give a function that falsifies what is in it
 */
export function opener(
  executables: Executables,
  settings: Settings,
  open?: typeof openTarget,
): Pick<LaunchOptions<Images>, 'open' | 'openMapped'> {
  return {
    open: async (executable, shown) => {
      if (open !== undefined) {
        return [{ executable, binary: open(executable, shown, settings), preparation: undefined }];
      }
      const prepared = await executables.open(executable, shown);
      return prepared.preparation?.plan.functions.length === 0 ? undefined : [prepared];
    },
    openMapped: async (pid, files) => {
      const [first, ...others] = await executables.openMapped(pid, files);
      return first && { name: namesOf([first, ...others]), content: [first, ...others] };
    },
  };
}

/**
 * Resolves when the observed process has ended. A child can outlive the program that was started: then signals are for
 * mapscope again, and one of them is its end, too.
 */
export async function targetEnd(
  { pid, started }: Launched<unknown>,
  exit: Promise<ExitStatus>,
  signals: EndingSignals,
): Promise<ProcessEnd | undefined> {
  if (pid === started) {
    const finishing = () => signals.finishing();
    exit.then(finishing, finishing);
    return await exit;
  }
  const over = new AbortController();
  const left = exit.then(() => signals.observing()).then(() => undefined);
  const end = await Promise.race([left, processEnd(pid, over.signal)]);
  over.abort();
  return end;
}
