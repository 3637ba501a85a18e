import { fork } from 'node:child_process';
import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { OpenOptions } from '../gobinary/index.ts';
import type { Preparation, PreparationOptions } from './preparation.ts';

/** What the process that prepares is told. */
export interface PreparationTask {
  readonly path: string;
  readonly options: OpenOptions & PreparationOptions;
}

/** Beside this file, in the sources as in the bundle. */
const CHILD = fileURLToPath(new URL(`./prepare.${extension(import.meta.url)}`, import.meta.url));

/**
 * Prepares in a process of its own: the tables of a large program and the disassembler take a hundred megabytes and more, of
 * which the allocator would keep a good part for as long as the observation lasts.
 *
 * @returns undefined when that process fails, for whatever reason; who prepares here then gets the reason
 */
export async function prepareApart(
  path: string,
  options: OpenOptions & PreparationOptions,
): Promise<Preparation | undefined> {
  const cache = getCompileCacheDir();
  const child = fork(CHILD, {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // It makes many short-lived objects, and does not live long itself.
    execArgv: [...process.execArgv, '--min-semi-space-size=16'],
    env: { ...process.env, ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) },
  });
  // It ends by itself when this process ends, as its channel does.
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  try {
    child.send({ path, options } satisfies PreparationTask);
    const [preparation] = (await once(child, 'message', { signal: ended.signal })) as [Preparation];
    return preparation;
  } catch {
    return undefined;
  } finally {
    if (child.connected) child.disconnect();
  }
}

function extension(url: string): string {
  return url.slice(url.lastIndexOf('.') + 1);
}
