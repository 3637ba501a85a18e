import { EXIT } from '../errors.ts';
import { addon } from '../kernel/addon.ts';
import type { Target } from '../model/target.ts';
import { executableName, executablePath } from '../target/process.ts';
import { verifyJson } from '../verify/json.ts';
import { disagreementsIn, type VerifyResult } from '../verify/result.ts';
import { verifyTable } from '../verify/table.ts';
import type { Verification } from '../verify/verification.ts';
import { writeText } from './report.ts';
import { spawnTarget } from './run.ts';
import type { Settings } from './settings.ts';
import { stopRequested } from './signals.ts';
import { describeTarget, findProgram, openTarget } from './target.ts';
import { aborted, elapsed, startVerification } from './verified.ts';

/** How long a running process is verified unless it was said, in milliseconds. */
const DEFAULT_MILLIS = 10_000;

/** `mapscope verify --pid N`. @returns the exit status */
export async function verifyProcess(pid: number, settings: Settings): Promise<number> {
  const binary = openTarget(executablePath(pid), `Process ${pid} (${executableName(pid)})`, settings);
  const target = describeTarget(pid, binary);
  const verification = await startVerification(pid, binary, settings);
  const stop = stopRequested();
  const over = aborted(stop.requested, elapsed(settings.duration ?? DEFAULT_MILLIS));
  const result = await verification.finish(over);
  stop.done();
  return report(target, result, settings);
}

/**
 * `mapscope verify -- PROGRAM ARGS`: verifies until the program ends.
 *
 * @param open how the program's file is opened; tests give a function that falsifies what is in it
 * @returns the exit status
 */
export async function verifyProgram(
  program: string,
  args: readonly string[],
  settings: Settings,
  open: typeof openTarget = openTarget,
): Promise<number> {
  const path = findProgram(program);
  const binary = open(path, path, settings);
  const pid = spawnTarget(path, program, args);
  let target: Target;
  let verification: Verification;
  try {
    target = describeTarget(pid, binary);
    verification = await startVerification(pid, binary, settings);
  } catch (error) {
    // It has not executed anything yet.
    process.kill(pid, 'SIGKILL');
    throw error;
  }
  const exit = addon.waitExit(pid);
  const stop = stopRequested((signal) => process.kill(pid, signal));
  addon.resume(pid);
  const over = aborted(exit, ...(settings.duration === undefined ? [] : [elapsed(settings.duration)]));
  const result = await verification.finish(over);
  const { exitCode } = await exit;
  stop.done();
  return report({ ...target, exitCode }, result, settings);
}

async function report(target: Target, result: VerifyResult, settings: Settings): Promise<number> {
  const { output, format } = settings;
  const text = format === 'json' ? verifyJson(target, result) : verifyTable(target, result);
  await writeText(text, output);
  return disagreementsIn(result) > 0 ? EXIT.failed : EXIT.done;
}
