import { EXIT } from '../../base/errors.ts';
import { log } from '../../base/log.ts';
import { aborted, timeLimit } from '../../base/time-limit.ts';
import type { Settings } from '../../config/settings.ts';
import type { Target } from '../../model/target.ts';
import { disagreementsIn, type VerifyResult } from '../../model/verification.ts';
import type { OutputFile } from '../../report/output-file.ts';
import { verifyJson, verifyLine } from '../../report/verify-json.ts';
import { verifyTable } from '../../report/verify-table.ts';
import { Executables, namesOf } from '../../session/executables.ts';
import { launch } from '../../session/launch.ts';
import { namedProcess } from '../../session/process-images.ts';
import { describeTarget, endedAs, findProgram, type openTarget } from '../../session/target.ts';
import { startOnImage } from '../../session/through-execs.ts';
import { startVerification } from '../../session/verified.ts';
import type { Verification } from '../../verify/verification.ts';
import { EndingSignals } from '../signals.ts';
import { openOutput } from '../write-reports.ts';
import { writeText } from '../write-text.ts';
import { endBeforeReport } from './program-end.ts';
import { type Images, opener, targetEnd } from './run.ts';

/** How long a running process is verified unless it was said, in milliseconds. */
const DEFAULT_MILLIS = 10_000;

/** `mapscope verify --pid N`. @returns the exit status */
export async function verifyProcess(id: number, settings: Settings): Promise<number> {
  const pid = namedProcess(id);
  const signals = new EndingSignals();
  const output = await openOutput(settings);
  const { target, verification } = await startOnImage(pid, (id) => startProcess(id, settings, signals));
  const over = AbortSignal.any([
    aborted(signals.observing()),
    timeLimit(settings.duration ?? DEFAULT_MILLIS),
  ]);
  const result = await verification.finish(over);
  signals.finishing();
  sayWhetherReplaced(verification, pid);
  return report(target, result, settings, output);
}

async function startProcess(
  pid: number,
  settings: Settings,
  signals: EndingSignals,
): Promise<{ target: Target; verification: Verification }> {
  const images = await new Executables(settings).openImages(pid);
  const [image] = images;
  sayWhichIsVerified(pid, images);
  const target = describeTarget(pid, image);
  signals.attaching();
  return { target, verification: await startVerification(pid, image, settings) };
}

function sayWhichIsVerified(pid: number, [image, ...others]: Images): void {
  if (others.length > 0) {
    log('warn', `Process ${pid} also runs ${namesOf(others)}: verified is ${image.executable.name} only.`);
  }
}

function sayWhetherReplaced({ wasReplaced }: Verification, pid: number): void {
  if (wasReplaced) {
    log('warn', `Process ${pid} has executed another program: verified is what came before.`);
  }
}

/**
 * `mapscope verify -- PROGRAM ARGS`: verifies until the program ends, and waits for that.
 *
 * @param open how the program's file is opened; tests give a function that falsifies what is in it
 * @returns the exit status
 */
export async function verifyProgram(
  program: string,
  args: readonly string[],
  settings: Settings,
  open?: typeof openTarget,
): Promise<number> {
  const path = findProgram(program);
  const signals = new EndingSignals();
  const output = await openOutput(settings);
  const launched = await launch(
    { path, program, args },
    {
      ...opener(new Executables(settings), settings, open),
      onRunning: (started) => signals.handOnTo(started),
    },
  );
  const { pid, started, exit, opened: images } = launched;
  const [image] = images;
  let target: Target;
  let verification: Verification;
  try {
    target = describeTarget(pid, image);
    signals.attaching();
    sayWhichIsVerified(pid, images);
    verification = await startVerification(pid, image, settings);
    signals.throwIfAsked();
  } catch (error) {
    // The program to verify has not executed anything yet.
    launched.kill();
    throw error;
  }
  signals.handOnTo(started);
  const ended = targetEnd(launched, exit, signals);
  launched.letRun();
  const limits = settings.duration === undefined ? [] : [timeLimit(settings.duration)];
  const result = await verification.finish(AbortSignal.any([aborted(ended), ...limits]));
  sayWhetherReplaced(verification, pid);
  const end = await endBeforeReport(program, exit, output);
  const last = pid === started && end !== undefined ? endedAs(target, end) : target;
  try {
    return await report(last, result, settings, output);
  } finally {
    await exit;
  }
}

async function report(
  target: Target,
  result: VerifyResult,
  { format }: Settings,
  output: OutputFile | undefined,
): Promise<number> {
  // Settings for verifying refuse html.
  const forms = { json: verifyJson, jsonl: verifyLine, table: verifyTable, html: verifyTable };
  await writeText(forms[format](target, result), output);
  return disagreementsIn(result) > 0 ? EXIT.failed : EXIT.done;
}
