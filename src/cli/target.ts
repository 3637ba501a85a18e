import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { EXIT, UserError } from '../errors.ts';
import {
  BinaryError,
  checkAgainstDwarf,
  describeFinding,
  type GoBinary,
  openGoBinary,
} from '../gobinary/index.ts';
import type { Target } from '../model/target.ts';
import { containerId } from '../target/container.ts';
import { commandLine, environment, executableName, startTime } from '../target/process.ts';

const NEWER_GO_ADVICE =
  'Update mapscope, or try it with the newest layouts it knows: --allow-unknown-go together with --verify.';

/** What the settings say about opening a binary. */
interface OpenSettings {
  readonly allowUnknownGo?: boolean;
}

/**
 * Opens a binary for observation; what is wrong with it becomes one line for the user. Where it has debug information, that
 * must agree with the layouts its maps would be read with.
 */
export function openTarget(path: string, shown: string = path, settings: OpenSettings = {}): GoBinary {
  const binary = openOrRefuse(path, shown, settings);
  const [difference] = checkAgainstDwarf(binary) ?? [];
  if (difference === undefined) return binary;
  throw new UserError(
    `${shown} cannot be observed: it was built with ${binary.version.text}, and its ${describeFinding(difference)}.`,
    EXIT.cannotObserve,
  );
}

function openOrRefuse(path: string, shown: string, { allowUnknownGo = false }: OpenSettings): GoBinary {
  try {
    return openGoBinary(path, { allowUnknown: allowUnknownGo });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof BinaryError) {
      const advice = error.reason === 'newer-go' ? ` ${NEWER_GO_ADVICE}` : '';
      throw new UserError(`${shown} cannot be observed: ${error.message}${advice}`, EXIT.cannotObserve, {
        cause: error,
      });
    }
    if (code === 'EACCES' || code === 'EPERM')
      throw new UserError(
        `${shown} may not be read: run as the same user, as root, or with CAP_SYS_PTRACE.`,
        EXIT.cannotObserve,
      );
    if (code === 'ENOENT') throw new UserError(`There is no ${shown}.`, EXIT.cannotObserve);
    throw error;
  }
}

/** Finds a program as a shell does: by path when it has a slash, otherwise along PATH. */
export function findProgram(program: string, path: string = process.env.PATH ?? ''): string {
  const candidates = program.includes('/')
    ? [program]
    : path.split(delimiter).map((folder) => join(folder, program));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new UserError(`There is no program ${program} that may be executed.`, EXIT.usage);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Describes the target for reports and exports. */
export function describeTarget(pid: number, binary: GoBinary): Target {
  const variables = environment(pid);
  const container = containerId(pid);
  return {
    pid,
    exe: executableName(pid),
    goVersion: binary.version.text,
    mapImplementation: binary.mapImplementation,
    stripped: binary.stripped,
    exitCode: null,
    commandLine: commandLine(pid),
    startTimeUnixNano: startTime(pid),
    ...(binary.modulePath !== undefined && { modulePath: binary.modulePath }),
    ...(binary.buildId !== undefined && { buildId: binary.buildId }),
    ...(container !== undefined && { containerId: container }),
    ...(variables !== undefined && { environment: variables }),
  };
}
