import { EXIT, messageOf, UserError } from '../errors.ts';
import { addon } from '../kernel/addon.ts';
import { summarize } from '../model/summary.ts';
import { Executables, type Prepared } from './executables.ts';
import { giveMemoryBack } from './memory.ts';
import type { ObservedTarget } from './observe.ts';
import { report } from './report.ts';
import { reportLimits, type Settings } from './settings.ts';
import { stopRequested } from './signals.ts';
import { findProgram, type openTarget } from './target.ts';

/**
 * `mapscope run -- PROGRAM ARGS`: starts a Go program with the probes in place before its first instruction, and reports
 * when it has ended. With a duration the observation ends earlier; the program runs on, and its end is awaited.
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
  // While another process prepares, there is time to load what exports.
  const [prepared, { ObservedTarget }] = await Promise.all([
    prepare(path, settings, open),
    import('./observe.ts'),
  ]);
  const pid = spawnTarget(path, program, args);
  let observed: ObservedTarget | undefined;
  let endVerification: (() => Promise<void>) | undefined;
  try {
    observed = await ObservedTarget.start(pid, prepared, settings, false);
    if (settings.verify) {
      const { verifyAlongside } = await import('./verified.ts');
      endVerification = await verifyAlongside(observed, prepared.binary, settings);
    }
  } catch (error) {
    // It has not executed anything yet.
    process.kill(pid, 'SIGKILL');
    await observed?.stop();
    throw error;
  }
  giveMemoryBack();
  const exit = addon.waitExit(pid);
  const requested = stopRequested((signal) => process.kill(pid, signal));
  addon.resume(pid);
  let failure: unknown;
  void observed.failed.then((error) => {
    failure = error;
  });
  await Promise.race([exit, elapsed(settings.duration), observed.failed]);
  await endVerification?.();
  const snapshot = await observed.stop();
  const { exitCode } = await exit;
  requested.done();
  await report(
    [summarize({ ...observed.target, exitCode }, settings.mode, snapshot, reportLimits(settings))],
    settings,
  );
  // What was seen before has been reported.
  if (failure !== undefined) throw failure;
}

async function prepare(path: string, settings: Settings, open?: typeof openTarget): Promise<Prepared> {
  if (open === undefined) return await new Executables(settings).open(path, path);
  return { binary: open(path, path, settings), preparation: undefined };
}

/** Starts the program, stopped before its first instruction. @returns its pid */
export function spawnTarget(path: string, program: string, args: readonly string[]): number {
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  try {
    return addon.spawnStopped({ file: path, args: [program, ...args], env });
  } catch (error) {
    throw new UserError(messageOf(error), EXIT.cannotObserve, { cause: error });
  }
}

/** Resolves after the duration; without one, never. */
function elapsed(millis: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (millis !== undefined) setTimeout(resolve, millis).unref();
  });
}
