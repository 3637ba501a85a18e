import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { EXIT, UserError } from '../../base/errors.ts';
import type { OpenOptions } from '../../gobinary/index.ts';
import type { Preparation, PreparationOptions } from './preparation.ts';

/** The task of the process that prepares. */
export interface PreparationTask {
  readonly options: OpenOptions & PreparationOptions;
  readonly limits: PreparationLimits;
}

/** What the process that prepares answers; nothing when it fails. */
export type PreparationAnswer =
  | { readonly preparation: Preparation }
  /** The executable cannot be read as a Go program, which whoever opens it is told too. */
  | { readonly unreadable: true }
  /** A sentence about the executable, without its full stop. */
  | { readonly refusal: string };

/**
 * What preparing may take. A program of 25 MB takes half a second, of which reading it is a thirtieth. What takes longer than these
 * limits has been made to do so: an emulated processor, twenty times slower than usual, keeps within them.
 */
export interface PreparationLimits {
  /** Of reading what the file says of itself: as long as the process that observes will be busy with it. */
  readonly readingMillis: number;
  readonly cpuSeconds: number;
  /** On a clock: the file may be on a disk that does not answer. */
  readonly millis: number;
  readonly heapMegabytes: number;
}

const LIMITS: PreparationLimits = {
  readingMillis: 5000,
  cpuSeconds: 60,
  millis: 120_000,
  heapMegabytes: 1024,
};

/** The descriptor under which the child inherits the executable: after stdin, stdout, stderr and the channel. */
export const INHERITED_EXECUTABLE = 4;

/** Beside this file, in the sources as in the bundle. */
const CHILD = fileURLToPath(new URL(`./prepare-child.${extension(import.meta.url)}`, import.meta.url));

/**
 * Prepares in a process of its own: the tables of a large program and the disassembler take a hundred megabytes and more, of
 * which the allocator would keep a good part for as long as the observation lasts. And whatever the executable is made to do to
 * whoever reads it, that process can be ended, while this one goes on to listen to signals.
 *
 * @param executable descriptor of the file, which the child inherits: a path could lead it to another file
 * @param shown what messages call it
 * @returns undefined when it is no Go program, or when that process fails, for whatever reason; who opens it or prepares here
 *   then gets the reason
 * @throws UserError when it takes more than it may
 */
export async function prepareApart(
  executable: number,
  options: OpenOptions & PreparationOptions,
  shown: string,
  limits: PreparationLimits = LIMITS,
): Promise<Preparation | undefined> {
  const child = start(executable, limits);
  // When this process ends, the kernel ends the child, or its channel does: unless it is stopped.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const answer = Promise.withResolvers<PreparationAnswer | undefined>();
  const timer = setTimeout(
    () => answer.resolve({ refusal: takesTooLong(limits.millis / 1000) }),
    limits.millis,
  );
  child.once('message', (message: PreparationAnswer) => answer.resolve(message));
  child.once('error', () => answer.resolve(undefined));
  child.once('exit', (_, signal) => answer.resolve(failureBy(signal, limits)));
  try {
    child.send({ options, limits } satisfies PreparationTask, () => {});
    const answered = await answer.promise;
    if (answered !== undefined && 'refusal' in answered) {
      throw new UserError(`${shown} cannot be observed: ${answered.refusal}.`, EXIT.cannotObserve);
    }
    return answered !== undefined && 'preparation' in answered ? answered.preparation : undefined;
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
    kill();
  }
}

/** What a single executable is started with to be the process that prepares (src/cli/one-file.mjs): no file is there to name. */
const CHILD_WORD = 'prepare-child';

function start(executable: number, limits: PreparationLimits): ChildProcess {
  const cache = getCompileCacheDir();
  const limit = `--max-old-space-size=${limits.heapMegabytes}`;
  // It makes many short-lived objects, and does not live long itself.
  const flags = [...process.execArgv, '--min-semi-space-size=16', limit];
  return fork(isSea() ? CHILD_WORD : CHILD, {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', executable],
    // A single executable takes all of its arguments for those of the command.
    execArgv: isSea() ? [] : flags,
    env: {
      ...process.env,
      ...(isSea() && { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${limit}` }),
      ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }),
    },
  });
}

/** What the end of the child before its answer means; undefined when that is not known. */
function failureBy(signal: NodeJS.Signals | null, limits: PreparationLimits): PreparationAnswer | undefined {
  switch (signal) {
    case 'SIGKILL':
      return { refusal: `${takesTooLong(limits.cpuSeconds)}, or there is not enough memory for it` };
    case 'SIGABRT':
      return { refusal: `planning its probe sites takes more than ${limits.heapMegabytes} MB of memory` };
    default:
      return undefined;
  }
}

function takesTooLong(seconds: number): string {
  return `planning its probe sites takes longer than ${seconds} s`;
}

function extension(url: string): string {
  return url.slice(url.lastIndexOf('.') + 1);
}
