import { once } from 'node:events';
import { messageOf } from '../base/errors.ts';
import { log } from '../base/log.ts';
import type { Settings } from '../config/settings.ts';
import { processEnd } from '../target/end.ts';
import { Executables, type Prepared, perImage } from './executables.ts';
import { laterImages } from './later-images.ts';
import type { ObservedTarget, Watcher } from './observed-target.ts';
import { startEach } from './process-images.ts';
import {
  type Later,
  observeThroughExecs,
  type ProcessEnd,
  type Running,
  type SeenProcess,
  startOnImage,
} from './through-execs.ts';

export interface ProcessObserverOptions {
  /** Called before probes go in. */
  readonly onAttaching: () => void;
  /** Show a live line: of one process only. */
  readonly withProgress?: boolean;
  /** Takes what is seen of each. */
  readonly watcher?: Watcher;
  /**
   * Asked before each image of a process is opened: throws a UserError when that is not to be observed.
   *
   * @param pid the process, which may have executed something else since it was chosen
   */
  readonly admit?: (pid: number) => void;
}

/**
 * Observes running processes, each from its start on through the programs that it executes, and what it maps meanwhile. They share what
 * was read of a file.
 */
export class ProcessObserver {
  #settings: Settings;
  /** What is observed now, of all processes. */
  readonly #observed = new Set<ObservedTarget>();
  readonly #options: ProcessObserverOptions;
  readonly #executables: Executables;
  readonly #later: Later;

  constructor(settings: Settings, options: ProcessObserverOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#executables = new Executables(settings);
    this.#later = laterImages(
      this.#executables,
      () => this.#settings,
      (pid, image, shared) => this.#startImage(pid, image, shared, false),
    );
  }

  /**
   * Starts to observe what a process runs at this moment.
   *
   * @throws UserError when none of it can be observed; nothing is left behind then
   */
  async start(pid: number): Promise<Running> {
    try {
      return await startOnImage(pid, this.#startImages);
    } catch (error) {
      this.#executables.forget(pid);
      throw error;
    }
  }

  /**
   * Sets the share of each process's CPU time that observing it may cost, of those that are observed and of those that will be. Nothing
   * that was counted is lost.
   */
  setBudget(budget: number): void {
    const factor = budget / this.#settings.budget;
    this.#settings = { ...this.#settings, budget };
    for (const observed of this.#observed) {
      // One of several images of a process has a part of it. The factor may leave the last digit wrong.
      observed.setBudget(Number((observed.budget * factor).toPrecision(12)));
    }
  }

  /**
   * Observes a started process until it has ended. Never rejects: a failure is part of what was seen.
   *
   * @param requested is aborted when an end is wanted before that
   */
  async observe(running: Running, requested: AbortSignal): Promise<SeenProcess> {
    const over = new AbortController();
    const finished = Promise.race([
      isAborted(requested, over.signal),
      endOf(running[0].target.pid, over.signal),
    ]);
    try {
      return await observeThroughExecs(running, finished, this.#startImages, this.#later);
    } catch (failure) {
      return { images: [], failure };
    } finally {
      over.abort();
      this.#executables.forget(running[0].target.pid);
    }
  }

  readonly #startImages = async (pid: number): Promise<Running> => {
    const { onAttaching, withProgress = false, admit } = this.#options;
    admit?.(pid);
    // While another process prepares, there is time to load what exports.
    const [images] = await Promise.all([this.#executables.openImages(pid), import('./observed-target.ts')]);
    const shared = perImage(this.#settings, images);
    const showsProgress = withProgress && images.length === 1;
    return await startEach(images, (image) => {
      onAttaching();
      return this.#startImage(pid, image, shared, showsProgress);
    });
  };

  async #startImage(
    pid: number,
    image: Prepared,
    settings: Settings,
    showsProgress: boolean,
  ): Promise<ObservedTarget> {
    const plan = settings.verify ? await verified(pid, image, settings) : undefined;
    const { ObservedTarget } = await import('./observed-target.ts');
    const { watcher } = this.#options;
    const observed = await ObservedTarget.start(pid, image, settings, showsProgress, plan, watcher);
    this.#observed.add(observed);
    observed.endBefore(async () => {
      this.#observed.delete(observed);
    });
    return observed;
  }
}

/** Verifies before anything is observed. What that takes is only loaded when it is asked for. */
async function verified(pid: number, opened: Prepared, settings: Settings) {
  const { verifyFirst } = await import('./verified.ts');
  return verifyFirst(pid, opened, settings);
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

/**
 * Resolves when a signal has been aborted, or nobody waits any more. Nothing of it is left at the signal then, which may live much longer: a
 * promise in its place would keep all that ever waited for it.
 */
async function isAborted(signal: AbortSignal, over: AbortSignal): Promise<undefined> {
  if (!signal.aborted) {
    await once(signal, 'abort', { signal: over }).catch(() => {});
  }
}
