import { messageOf } from '../base/errors.ts';
import { log } from '../base/log.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import { ProcessImage } from '../target/image.ts';
import { hasMemory } from '../target/process.ts';
import type { ObservedTarget } from './observed-target.ts';

/** What was seen of one image of a process. */
export interface SeenImage {
  readonly target: Target;
  readonly snapshot: Snapshot;
  /** Which of the programs that the process has executed it belongs to: the first is 0. */
  readonly program: number;
}

/** What is observed of a process: at least one image. */
export type Running = readonly [ObservedTarget, ...ObservedTarget[]];

/**
 * Observes what a process maps beside what is observed already.
 *
 * @param over aborted when nobody wants that any more
 * @returns what is observed in addition; none when it maps nothing more
 */
export type Later = (running: Running, over: AbortSignal) => Promise<readonly ObservedTarget[]>;

/** What was seen of a process, and why observing ended early, if it did. */
export interface SeenProcess {
  /** In the order in which the process executed them. */
  readonly images: readonly SeenImage[];
  /** Why observing could not go on although the process lived and nobody wanted an end; undefined otherwise. */
  readonly failure: unknown;
}

/** The process has ended, and has used so much CPU time in all its life, as far as that is known. */
export interface ProcessEnd {
  readonly cpuSeconds: number | null;
}

/** Why the observation of an image ends. */
interface End {
  readonly replaced?: boolean;
  readonly error?: unknown;
  readonly cpuSeconds?: number | null | undefined;
  /** It does not end: this is observed, too. */
  readonly more?: readonly ObservedTarget[];
}

/**
 * Observes a process through the programs that it executes one after the other (execve: launchers, self-updates, graceful
 * restarts). Nothing of an image is left for the next one: each gets a plan of its own and a start time of its own.
 *
 * @param first what the process runs: its program, or several images of Go
 * @param finished settles when the observation is to end, with how the process ended if it did
 * @param start observes what the process runs now
 * @param later observes what it maps beside that
 */
export async function observeThroughExecs(
  first: Running,
  finished: Promise<ProcessEnd | undefined>,
  start: (pid: number) => Promise<Running>,
  later: Later,
): Promise<SeenProcess> {
  const images: SeenImage[] = [];
  let program = 0;
  const { pid } = first[0].target;
  const done = finished.then(
    (end) => ({ cpuSeconds: end?.cpuSeconds }),
    () => ({ cpuSeconds: undefined }),
  );
  for (let current = first; ; ) {
    const over = new AbortController();
    const added = later(current, over.signal);
    const end: End = await Promise.race([
      added.then((more) => (more.length > 0 ? { more } : new Promise<never>(() => {}))),
      done,
      ...current.map(({ replaced }) => replaced.then(() => ({ replaced: true }))),
      ...current.map(({ failed }) => failed.then((error) => ({ error }))),
    ]);
    if (end.more !== undefined) {
      current = [...current, ...end.more];
      continue;
    }
    over.abort();
    // What has just been added ends with the others.
    current = [...current, ...(await added)];
    // A window can meet the next image before anybody has looked for one.
    const isReplaced = end.replaced || ('error' in end && current[0].isReplaced());
    const isSameImage = 'error' in end && !isReplaced && current[0].hasLostMainThread();
    const stopped = await stopAll(current, program, isReplaced, end.cpuSeconds);
    images.push(...stopped.images);
    const goesOn = isReplaced || isSameImage;
    const failure = (goesOn ? undefined : end.error) ?? stopped.failure;
    if (!goesOn || failure !== undefined) {
      return { images, failure };
    }
    program += Number(isReplaced);
    try {
      current = await startOnImage(pid, start);
      log(
        'info',
        `Process ${pid} has ${isSameImage ? LOST_MAIN_THREAD : `executed ${namesOf(current)}, which`} is observed from here on.`,
      );
    } catch (error) {
      if (images.length === 0) {
        throw error;
      }
      if (hasMemory(pid)) {
        const what = isSameImage ? 'lost its main thread' : 'executed another program';
        log('warn', `Process ${pid} has ${what}. ${messageOf(error)}`);
      }
      return { images, failure: undefined };
    }
  }
}

/** Ends what is observed of a process. One image that cannot be told of any more does not keep the others from it. */
async function stopAll(
  running: Running,
  program: number,
  isReplaced: boolean,
  cpuSeconds: number | null | undefined,
): Promise<SeenProcess> {
  const images: SeenImage[] = [];
  let failure: unknown;
  for (const observed of running) {
    try {
      const isEmpty = isReplaced && (await observed.countsTheNextImage());
      const snapshot = await observed.stop(cpuSeconds);
      if (isEmpty) {
        const { pid, exe } = observed.target;
        log('info', `Process ${pid} had executed another program before a lookup of ${exe} was seen.`);
      } else {
        images.push({ target: observed.target, snapshot, program });
      }
    } catch (error) {
      failure ??= error;
    }
  }
  return { images, failure };
}

/** How often a start is begun anew because the process has executed something else meanwhile. */
const MOST_STARTS = 10;

/**
 * Starts to work on what a process runs. When it executes another program meanwhile, what was planned for the one before cannot be
 * attached, and the start is made anew.
 */
export async function startOnImage<T>(pid: number, start: (pid: number) => Promise<T>): Promise<T> {
  for (let starts = 1; ; starts++) {
    const image = new ProcessImage(pid);
    try {
      const started = await start(pid);
      if (image.hasChanged()) {
        log('info', `Process ${pid} has executed a program while mapscope was starting.`);
      }
      return started;
    } catch (error) {
      if (starts === MOST_STARTS || !image.hasChanged()) {
        throw error;
      }
      log(
        'info',
        `Process ${pid} has executed another program while mapscope was starting, which starts anew.`,
      );
    } finally {
      image.close();
    }
  }
}

const LOST_MAIN_THREAD = 'lost its main thread, and';

function namesOf(running: Running): string {
  return running.map(({ target }) => target.image ?? target.exe).join(' and ');
}
