import { EXIT, messageOf, UserError } from '../base/errors.ts';
import { log } from '../base/log.ts';
import { addon, type ExitStatus } from '../kernel/addon.ts';
import { Executable } from '../target/executable.ts';
import { FollowedProgram, type Standing } from '../target/followed.ts';
import { MappedFiles } from '../target/mapped-files.ts';
import { isRefusal, yamaForbids } from '../target/rights.ts';
import { isOfAnotherKind } from './process-images.ts';

/** A program to be started. */
export interface Command {
  /** Its file. */
  readonly path: string;
  /** What it is told as its own name. */
  readonly program: string;
  readonly args: readonly string[];
}

/** A process that is about to execute a Go program, or code of a library written in Go, and stands before the first instruction. */
export interface Launched<T> {
  readonly pid: number;
  /** The program that was started: the same process, unless it has started the Go program as a child. */
  readonly started: number;
  /** How that one has ended. */
  readonly exit: Promise<ExitStatus>;
  /** What was opened. */
  readonly opened: T;
  /** Lets it run, and whatever else has been started. */
  letRun(): void;
  /** Ends all of it, for nothing can be observed. */
  kill(): void;
}

/** What was opened, and what messages call it. */
interface Opened<T> {
  readonly name: string;
  readonly content: T;
}

/** Who decides what is observed, and is told when something runs. */
export interface LaunchOptions<T> {
  /**
   * Opens an executable.
   *
   * @returns undefined when there is nothing to observe in it
   * @throws UserError when it cannot be observed
   */
  open(executable: Executable, shown?: string): Promise<T | undefined>;
  /**
   * Opens what a process has mapped and was not opened before.
   *
   * @returns undefined when there is nothing to observe in it
   */
  openMapped(pid: number, files: MappedFiles): Promise<Opened<T> | undefined>;
  /**
   * Called before a program runs that is none to observe: signals are to reach it from then on.
   *
   * @returns a promise that settles when nobody waits for others any more, once the one that was started has ended
   */
  onRunning(started: number): Promise<unknown>;
}

/**
 * Starts a program and follows it, and the processes that come from it, through what they execute and load: launchers, shells, programs
 * of other languages that use a library written in Go. The first Go of all these that has map lookups is held before its first
 * instruction.
 *
 * @throws UserError when there is none that can be observed
 */
export async function launch<T>(command: Command, options: LaunchOptions<T>): Promise<Launched<T>> {
  const executable = Executable.atPath(command.path);
  const first = await openLauncherOrProgram(executable, options);
  const started = spawn(command);
  const exit = addon.waitExit(started);
  // Whoever waits for it is told when it fails; until then nobody may.
  exit.catch(() => {});
  if ('refusal' in first) {
    executable.close();
    return await follow({ started, exit }, first.refusal, options);
  }
  return {
    pid: started,
    started,
    exit,
    opened: first.opened,
    letRun: () => letRun(started),
    kill: () => kill(started),
  };
}

/** The program itself, if it is one to observe; or why not, when it may still execute or start one. */
async function openLauncherOrProgram<T>(
  executable: Executable,
  { open }: LaunchOptions<T>,
): Promise<{ opened: T } | { refusal: string }> {
  try {
    const opened = await open(executable);
    return opened === undefined ? { refusal: `${executable.name} has no map lookup functions` } : { opened };
  } catch (error) {
    if (isOfAnotherKind(error)) {
      return { refusal: `${executable.name} is not a Go program` };
    }
    throw error;
  }
}

/** The program that was started, and its end. */
type Started = Pick<Launched<unknown>, 'started' | 'exit'>;

async function follow<T>(
  { started, exit }: Started,
  reason: string,
  options: LaunchOptions<T>,
): Promise<Launched<T>> {
  const followed = new FollowedProgram(started, exit, options.onRunning(started));
  followed.goOn({ thread: started, pid: started, hasExecuted: true });
  const files = new Map<number, MappedFiles>();
  for (let at = await followed.next(); at !== undefined; at = await followed.next()) {
    const { pid } = at;
    const mapped = (!at.hasExecuted && files.get(pid)) || new MappedFiles(pid);
    files.set(pid, mapped);
    const opened = at.hasExecuted ? await openExecuted(pid, options) : await openLoaded(pid, mapped, options);
    if (opened !== undefined) {
      const verb = at.hasExecuted ? 'executes' : 'has loaded';
      log('info', `Process ${pid} ${verb} ${opened.name}, which is observed.`);
      return launchedChild(at, { started, exit }, opened.content, followed);
    }
    followed.goOn(at);
  }
  await exit;
  const message = `${reason}, and neither it nor what it started has executed or loaded one that can be observed.`;
  throw new UserError(message, EXIT.cannotObserve);
}

/** What a process is about to execute, if that can be observed. */
async function openExecuted<T>(pid: number, { open }: LaunchOptions<T>): Promise<Opened<T> | undefined> {
  let executable: Executable | undefined;
  try {
    executable = Executable.ofProcess(pid);
    const content = await open(executable, `Process ${pid} (${executable.name})`);
    if (content !== undefined) {
      return { name: executable.name, content };
    }
  } catch (error) {
    if (!isOfAnotherKind(error)) {
      log('warn', messageOf(error));
    }
  }
  executable?.close();
  return undefined;
}

/** What a process has loaded, if that can be observed. */
async function openLoaded<T>(
  pid: number,
  files: MappedFiles,
  { openMapped }: LaunchOptions<T>,
): Promise<Opened<T> | undefined> {
  try {
    return await openMapped(pid, files);
  } catch (error) {
    // It may have been killed meanwhile.
    log('warn', messageOf(error));
    return undefined;
  }
}

function launchedChild<T>(
  at: Standing,
  { started, exit }: Started,
  opened: T,
  followed: FollowedProgram,
): Launched<T> {
  const { pid } = at;
  return {
    pid,
    started,
    exit,
    opened,
    letRun: () => {
      followed.letGoAllBut(at);
      letRun(at.thread);
    },
    kill: () => {
      kill(pid);
      kill(started);
    },
  };
}

/** Starts the program, stopped before its first instruction. @returns its pid */
function spawn({ path, program, args }: Command): number {
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  try {
    return addon.spawnStopped({ file: path, args: [program, ...args], env });
  } catch (error) {
    const yama = isRefusal(error) ? yamaForbids({ ofStarted: true }) : undefined;
    const sentence =
      yama === undefined ? messageOf(error) : `mapscope is not allowed to trace what it starts: ${yama}.`;
    throw new UserError(sentence, EXIT.cannotObserve, { cause: error });
  }
}

/** Lets a process run. It may have been killed meanwhile: its end is told by the wait for it. */
function letRun(pid: number): void {
  unlessGone(() => addon.resume(pid));
}

function kill(pid: number): void {
  unlessGone(() => process.kill(pid, 'SIGKILL'));
}

function unlessGone(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}
