import { messageOf, UserError } from '../base/errors.ts';
import { log } from '../base/log.ts';
import { BinaryError, mayBeGoBinary } from '../gobinary/index.ts';
import { lookupFunctions } from '../plan/lookups/lookup-functions.ts';
import { Executable } from '../target/executable.ts';
import { MappedFiles } from '../target/mapped-files.ts';
import { processOf } from '../target/process.ts';
import type { OpenedTarget } from './target.ts';

/** Opens a file that may be a Go program or a library written in Go. */
type Open<T> = (executable: Executable, shown: string) => T | Promise<T>;

/**
 * Opens all images of Go that a process runs: its executable, libraries that it has mapped (c-shared ones in a program of another
 * language), and the program where a dynamic loader was started with its name. Each has a runtime and maps of its own.
 *
 * @param files what it has mapped
 * @returns at least one, the executable first
 * @throws UserError when there is none that can be observed
 */
export async function openImages<T extends OpenedTarget>(
  pid: number,
  open: Open<T>,
  files = new MappedFiles(pid),
): Promise<[T, ...T[]]> {
  const executable = Executable.ofProcess(pid);
  const images: T[] = [];
  let refusal: unknown;
  try {
    images.push(await open(executable, `Process ${pid} (${executable.name})`));
  } catch (error) {
    executable.close();
    refusal = error;
  }
  if (refusal === undefined || isOfAnotherKind(refusal)) {
    images.push(...(await openMapped(pid, files.all(), open)));
  }
  const [first, ...others] = images;
  if (first === undefined) {
    throw refusal;
  }
  return [first, ...others];
}

/** Starts to observe each image; of several one that cannot be observed does not keep the others from it. */
export async function startEach<T, U>(
  images: readonly T[],
  start: (image: T) => Promise<U>,
): Promise<[U, ...U[]]> {
  const started: U[] = [];
  let refusal: unknown;
  for (const image of images) {
    try {
      started.push(await start(image));
    } catch (error) {
      refusal = error;
      if (images.length > 1) {
        log('warn', messageOf(error));
      }
    }
  }
  const [first, ...others] = started;
  if (first === undefined) {
    throw refusal;
  }
  return [first, ...others];
}

/** Those of the files that a process has mapped which are of Go and look keys up. Plugins do, with lookup functions of their own. */
export async function openMapped<T extends OpenedTarget>(
  pid: number,
  files: readonly Executable[],
  open: Open<T>,
): Promise<T[]> {
  const images: T[] = [];
  for (const file of files) {
    const opened = await openFile(pid, file, open);
    images.push(...(opened === undefined ? [] : [opened]));
  }
  return images;
}

async function openFile<T extends OpenedTarget>(
  pid: number,
  file: Executable,
  open: Open<T>,
): Promise<T | undefined> {
  try {
    const opened = mayBeGoBinary(file.path)
      ? await open(file, `${file.name}, mapped by process ${pid},`)
      : undefined;
    if (opened !== undefined && lookupFunctions(opened.binary).length > 0) {
      return opened;
    }
  } catch (error) {
    log('warn', messageOf(error));
  }
  file.close();
  return undefined;
}

/** Not written in Go: a script, or in another language. What is, but cannot be observed, is another matter. */
export function isOfAnotherKind(error: unknown): boolean {
  const cause = error instanceof UserError ? error.cause : undefined;
  return cause instanceof BinaryError && ['not-go', 'not-elf'].includes(cause.reason);
}

/** The process that an id on the command line means. When it is that of a thread, the user is told. */
export function namedProcess(id: number): number {
  const pid = processOf(id);
  if (pid !== id) {
    log('info', `${id} is a thread of process ${pid}, which is taken instead.`);
  }
  return pid;
}
