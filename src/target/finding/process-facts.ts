import { readFileSync } from 'node:fs';
import { type BuildInfo, buildInfoOf, mayBeGoBinary } from '../../gobinary/index.ts';
import { containerId } from '../container.ts';
import { Executable } from '../executable.ts';
import { executablePath, fileName } from '../process.ts';
import { listeningPorts } from './listening-ports.ts';
import { podLabels } from './pod-labels.ts';

/** What an executable says of how it was built. */
interface Build {
  readonly isGo: boolean;
  readonly info: BuildInfo | undefined;
}

/** What rules ask of a process. Each fact is looked up when it is first asked for, and stays as it was then. */
export interface ProcessFacts {
  readonly pid: number;
  /** The path of its executable; undefined when it executes none (a kernel thread, a zombie), or that may not be known. */
  readonly exe: string | undefined;
  /** Its arguments, its own name first, with blanks between them; empty when it has none, or they may not be read. */
  readonly command: string;
  /** Undefined when it runs in none, or that is hidden. */
  readonly container: string | undefined;
  readonly podLabels: ReadonlyMap<string, string>;
  /** TCP ports, ascending. */
  readonly ports: readonly number[];
  /** Whether its executable looks like a Go program. */
  readonly isGo: boolean;
  /** What a Go program says of its build; undefined when it says nothing. */
  readonly build: BuildInfo | undefined;
}

/** The facts of a process as it is now, or will be when they are asked for. */
export function processFacts(pid: number): ProcessFacts {
  const exe = lazy(() => orUndefined(() => fileName(executablePath(pid), pid)));
  const command = lazy(() => orUndefined(() => commandOf(pid)) ?? '');
  const container = lazy(() => containerId(pid));
  const labels = lazy(() => podLabels(pid));
  const ports = lazy(() => listeningPorts(pid));
  const build = lazy(() => buildOf(pid));
  return {
    pid,
    get exe() {
      return exe();
    },
    get command() {
      return command();
    },
    get container() {
      return container();
    },
    get podLabels() {
      return labels();
    },
    get ports() {
      return ports();
    },
    get isGo() {
      return build().isGo;
    },
    get build() {
      return build().info;
    },
  };
}

/** As a shell would take it, but for blanks within arguments. */
function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ');
}

/** Of executables that were looked into, the latest, by their identity: many processes execute the same. */
const BUILDS = new Map<string, Build>();
const MOST_BUILDS = 256;

const NO_BUILD: Build = { isGo: false, info: undefined };

function buildOf(pid: number): Build {
  // Held open: by the time that its headers are read, the process may execute another.
  const executable = orUndefined(() => Executable.ofProcess(pid));
  if (executable === undefined) {
    return NO_BUILD;
  }
  try {
    const build = BUILDS.get(executable.identity) ?? readBuild(executable.path);
    keep(executable.identity, build);
    return build;
  } catch {
    return NO_BUILD;
  } finally {
    executable.close();
  }
}

/** Reads a few pages of its headers. */
function readBuild(path: string): Build {
  const isGo = mayBeGoBinary(path);
  return { isGo, info: isGo ? buildInfoOf(path) : undefined };
}

/** The latest is the last. */
function keep(identity: string, build: Build): void {
  BUILDS.delete(identity);
  BUILDS.set(identity, build);
  const [oldest] = BUILDS.keys();
  if (BUILDS.size > MOST_BUILDS && oldest !== undefined) {
    BUILDS.delete(oldest);
  }
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** What of a process cannot be read, because it has ended or is another user's, is not known. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
