import { accessSync, constants as modes, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { EXIT, UserError } from '../base/errors.ts';
import {
  BinaryError,
  checkAgainstDwarf,
  describeFinding,
  type GoBinary,
  openGoBinary,
} from '../gobinary/index.ts';
import type { ExitStatus } from '../kernel/addon.ts';
import type { Target } from '../model/target.ts';
import { containerId } from '../target/container.ts';
import type { Executable } from '../target/executable.ts';
import { hostNameOf, ownPid, processKey } from '../target/identity.ts';
import { podOf } from '../target/kubernetes.ts';
import { environment, executableName } from '../target/process.ts';

const NEWER_GO_ADVICE =
  'Update mapscope, or try the newest layouts it knows with --allow-unknown-go --verify.';

/** An executable that was read. */
export interface OpenedTarget {
  readonly executable: Executable;
  readonly binary: GoBinary;
}

/** What the settings say about opening a binary. */
interface OpenSettings {
  readonly allowUnknownGo?: boolean;
}

/**
 * Opens a binary for observation; what is wrong with it becomes one line for the user. Where it has debug information, that
 * must agree with the layouts its maps would be read with.
 */
export function openTarget(
  executable: Executable,
  shown: string = executable.name,
  settings: OpenSettings = {},
): GoBinary {
  const binary = openOrRefuse(executable, shown, settings);
  const [difference] = checkAgainstDwarf(binary) ?? [];
  if (difference === undefined) {
    return binary;
  }
  throw new UserError(
    `${shown} cannot be observed: it was built with ${binary.version.text}, and its ${describeFinding(difference)}.`,
    EXIT.cannotObserve,
  );
}

function openOrRefuse(
  executable: Executable,
  shown: string,
  { allowUnknownGo = false }: OpenSettings,
): GoBinary {
  try {
    return openGoBinary(executable.path, { allowUnknown: allowUnknownGo, name: executable.name });
  } catch (error) {
    if (error instanceof BinaryError) {
      const advice = error.reason === 'newer-go' ? ` ${NEWER_GO_ADVICE}` : '';
      throw new UserError(`${shown} cannot be observed: ${error.message}${advice}`, EXIT.cannotObserve, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Finds a program as a shell does: by path when it has a slash, otherwise along PATH. */
export function findProgram(program: string, path: string = process.env.PATH ?? ''): string {
  const candidates = program.includes('/')
    ? [program]
    : path.split(delimiter).map((folder) => join(folder, program));
  const found = candidates.find(isExecutable);
  if (found !== undefined) {
    return found;
  }
  throw new UserError(`There is no executable program ${program}.`, EXIT.usage);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, modes.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Describes the target for reports and exports. */
export function describeTarget(pid: number, { executable, binary }: OpenedTarget): Target {
  const variables = environment(pid);
  const container = containerId(pid);
  const hostName = hostNameOf(pid);
  const pod = podOf(pid);
  return {
    pid,
    ownPid: ownPid(pid),
    // Images of one process have metrics of their own.
    key: executable.isMapped ? `${processKey(pid)}/${executable.name}` : processKey(pid),
    exe: executable.isMapped ? executableName(pid) : executable.location,
    ...(executable.isMapped && { image: executable.name }),
    goVersion: binary.version.text,
    mapImplementation: binary.mapImplementation,
    stripped: binary.stripped,
    exitCode: null,
    signal: null,
    ...(binary.buildId !== undefined && !executable.isMapped && { buildId: binary.buildId }),
    ...(binary.moduleVersion !== undefined && { moduleVersion: binary.moduleVersion }),
    ...(hostName !== undefined && { hostName }),
    ...(pod !== undefined && { pod }),
    ...(container !== undefined && { containerId: container }),
    ...(variables !== undefined && { environment: variables }),
  };
}

/** A target that was our child, with how it has ended. */
export function endedAs(target: Target, { exitCode, signal }: ExitStatus): Target {
  return { ...target, exitCode, signal: signal === null ? null : signalName(signal) };
}

/** Signals for real-time use have numbers only. */
function signalName(number: number): string {
  const names = Object.entries(constants.signals);
  return names.find(([, one]) => one === number)?.[0] ?? `signal ${number}`;
}
