import { addon, type ExitStatus } from '../../src/kernel/addon.ts';

/** How a command ended, and what it took, in seconds. */
export interface Timed {
  readonly end: ExitStatus;
  /** By the clock: less than that nobody waits. */
  readonly wall: number;
  /** CPU time of all its threads: the same on a busy machine, nearly. */
  readonly cpu: number;
}

/** Runs a command, whose output goes nowhere. */
export async function timed(words: readonly string[]): Promise<Timed> {
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const args = ['sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh', ...words];
  const pid = addon.spawnStopped({ file: '/bin/sh', args, env });
  const ended = addon.waitExit(pid);
  const start = performance.now();
  addon.resume(pid);
  const end = await ended;
  if (end.cpuSeconds === null) {
    throw new Error('the CPU time of a command that has ended is not known');
  }
  return { end, wall: (performance.now() - start) / 1000, cpu: end.cpuSeconds };
}
