import { fileURLToPath } from 'node:url';
import bindings from 'bindings';
import { EXIT, messageOf, UserError } from '../base/errors.ts';

/** Byte offset and size of one field of a record in bpf/shared/; `count` is the array length, 1 for a scalar. */
export interface FieldLayout {
  readonly offset: number;
  /** Size of one element in bytes. */
  readonly size: number;
  readonly count: number;
}

/** Layout of one struct of bpf/shared/ as the compiler of the BPF programs has made it. */
export interface RecordLayout {
  readonly size: number;
  /** A struct inside a struct is spread out under its path: `type.home`. */
  readonly fields: Readonly<Record<string, FieldLayout>>;
}

/** What bpf/shared/ declares, so that no layout is written twice. */
export interface Records {
  readonly structs: Readonly<Record<string, RecordLayout>>;
  /** Enumerators by enum; a bigint where a number would not be exact. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, number | bigint>>>>;
}

/**
 * How probe sites are attached: one link for all sites (Linux 6.6), or one perf event per site.
 *
 * Perf events are for older kernels only: they need CAP_SYS_ADMIN, and detach takes its time for each site (0.1 s where
 * a link with any number of sites takes 0.04 s), while the remaining sites go on counting. A window ends as fast with either.
 */
export type AttachMethod = 'uprobe_multi' | 'perf_event';

export interface ProbeObjectOptions {
  /** Path of the compiled BPF object. */
  readonly objectPath: string;
  readonly attachMethod: AttachMethod;
  /** Load as a sleepable program (may fault pages in). */
  readonly sleepable: boolean;
  /** Values of `const volatile` globals, by name; the length must equal the variable's size. */
  readonly readOnlyData: Readonly<Record<string, Uint8Array>>;
  /** max_entries by map name. */
  readonly mapSizes: Readonly<Record<string, number>>;
  /** Maps taken from another, loaded object instead of being created, by name: the same name, types and sizes there. */
  readonly sharedMaps?: Readonly<Record<string, ProbeObject>>;
  /** Pinned maps used instead of being created: path by name. */
  readonly pinnedMaps?: Readonly<Record<string, string>>;
}

export interface AttachOptions {
  /** Path through which the target's executable can be opened, e.g. /proc/PID/exe. */
  readonly path: string;
  /** Process to observe (in the sidecar's pid namespace). */
  readonly pid: number;
  /** File offsets of the probed instructions. */
  readonly offsets: readonly bigint[];
  /** Cookies handed to the program, one per offset: the index of the site. */
  readonly cookies: readonly bigint[];
  /** How many of them, the last ones, are hit far more often than the others: they go in last and come out first. */
  readonly busy?: number;
  /** Run-time address of one of them: when no breakpoint is there after the attach, that is undone and fails with ESTALE. */
  readonly proof?: bigint;
}

/** How long a window stays open at most, once all sites are attached. */
export interface WindowOptions extends AttachOptions {
  readonly openMicros: number;
  /** Hits on one CPU, at least 1, after which the program ends the window. */
  readonly hitLimit: number;
}

/** Contents of a per-CPU map: for each key its value from every possible CPU, one after the other, padded to 8 bytes. */
export interface PerCpuContents {
  readonly keys: Buffer;
  readonly values: Buffer;
  readonly count: number;
  readonly cpus: number;
}

/** Contents of a map whose values all CPUs share: keys and values, packed one after the other. */
export interface SharedContents {
  readonly keys: Buffer;
  readonly values: Buffer;
  readonly count: number;
}

export interface WindowOutcome {
  /** When hits were decoded, from and to: seconds of the monotonic clock (that of process.hrtime). */
  readonly opened: number;
  readonly closed: number;
  /** CPU time that the process used meanwhile; 0 when it has ended. */
  readonly cpuSeconds: number;
  /** A CPU has reached the hit limit. */
  readonly full: boolean;
  /**
   * For how long attach and detach kept locks that others need: every fork of the machine, and all processes that map the file.
   * An estimate; null when there is none, as with a single site.
   */
  readonly lockedSeconds: number | null;
  /** The map `cpu_states`, when nothing was attached any more. */
  readonly cpuStates: PerCpuContents;
}

/**
 * One BPF object. Methods that return a promise run off the JavaScript thread, one after the other in the order of the
 * calls; none of them throws.
 */
export interface ProbeObject {
  /** Opens, configures and loads the object. Every error of the constructor's options shows here. May be retried. */
  load(): Promise<void>;
  /**
   * Attaches to all sites or to none. EBUSY when attached already. The kernel does not object to a process that does
   * not map the file: its sites are just never hit.
   */
  attach(options: AttachOptions): Promise<void>;
  /**
   * Attaches, opens the program's gate (struct window_gate) until time or hit limit is over, and detaches, all on one
   * thread, whatever JavaScript is busy with meanwhile. When it is rejected, nothing is attached.
   */
  window(options: WindowOptions): Promise<WindowOutcome>;
  /** When it resolves, the program runs no more. Harmless when nothing is attached. */
  detach(): Promise<void>;
  /** Writes `count` key/value pairs, packed one after the other, into a hash or array map. */
  updateMap(name: string, keys: Uint8Array, values: Uint8Array, count: number): void;
  /**
   * Reads every element of a hash map and removes it. What a program adds to an element between the two is lost: the
   * caller sees to it that none does.
   */
  drainMap(name: string): Promise<SharedContents>;
  /** Reads a hash or array map that all CPUs share. @param most elements to read, of an array the first ones; default: all */
  readSharedMap(name: string, most?: number): Promise<SharedContents>;
  /** Reads a per-CPU map. @param most elements to read, of an array the first ones; default: all */
  readPerCpuMap(name: string, most?: number): Promise<PerCpuContents>;
  /** The verifier's log of the last load, empty unless the verifier refused the program. Remains after close(). */
  verifierLog(): string;
  /**
   * Detaches and gives everything back; may be called again. Operations that wait for their turn are rejected with
   * ECANCELED, one that runs is left to end first. An object that is garbage-collected is closed.
   */
  close(): void;
}

export interface SpawnOptions {
  /** A path; PATH is not searched. */
  readonly file: string;
  /** argv, with argv[0]. */
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** How a process ended: one of the two is null. */
export interface ExitStatus {
  readonly exitCode: number | null;
  readonly signal: number | null;
  /** CPU time that it used in all its life, all threads; null when that could not be read. */
  readonly cpuSeconds: number | null;
}

/**
 * A program that spawnStopped() has started, followed with all processes that come from it. Each stands still at the end of each
 * execve() of its own, before the new program's first instruction, and each thread before an instruction that is watched. Of the
 * thread that has started the program; when it ends, the kernel kills all of them. That thread must not start another program
 * meanwhile.
 */
export interface ProgramFollower {
  /** Handles what has happened since the last call; to be called at each SIGCHLD. Returns threads that stand now. */
  step(): number[];
  /** Whether one that stands does so at an execve. */
  isAtExec(thread: number): boolean;
  /**
   * Lets one go on that stands, still followed.
   *
   * @param watched address of an instruction before which it stands again, and what it starts, until an execve; default: as before
   * @returns false when that cannot be watched
   */
  goOn(thread: number, watched?: bigint): boolean;
  /** Follows none any longer; one thread that stands may stay so until resume(). Complete when calls of step() have led to isOver. */
  letGo(but?: number): void;
  /** None is traced any longer. The started program is until waitExit() has reaped it. */
  readonly isOver: boolean;
}

/** Whose ids processes are told by: those of its processes, or, if it is the initial one, of all on the machine. */
export interface PidNamespace {
  /** As stat() says it of /proc/PID/ns/pid. */
  readonly device: bigint;
  readonly inode: bigint;
  readonly isInitial: boolean;
}

/** What this kernel and the rights of this process allow. */
export interface Features {
  /** uprobe_multi links with a filter by process: the first ones filtered by thread. */
  readonly uprobeMulti: boolean;
  /** Programs at probes that may fault pages in. */
  readonly sleepableUprobes: boolean;
  /** A real-time priority for threads: those that open windows have one then. */
  readonly realTime: boolean;
  /** BPF at all. */
  readonly bpf: boolean;
  /** A sentence that says why not; else empty. */
  readonly bpfError: string;
  /** Of the functions of the kernel that the programs call: those that this one does not have. */
  readonly missingHelpers: readonly string[];
}

/**
 * What fails throws or rejects with one sentence for people, and with the errno's name in the error's `code`: EPERM, or
 * ENOEXEC for a file that is no BPF object. An argument of the wrong type is a TypeError.
 */
export interface Addon {
  readonly ProbeObject: new (options: ProbeObjectOptions) => ProbeObject;
  features(): Features;
  /**
   * Reads what a compiled BPF object's type information says of its structs and enums. Throws when the addon was compiled
   * for other records than those. From then on objects whose structs are laid out in another way are not loaded.
   */
  readRecords(path: string): Records;
  /**
   * The path of a file in memory with this content, for what is in no file that the kernel knows. It is made once per name, can be
   * opened by this process only, and lasts as long as that.
   */
  memoryFile(name: string, content: Uint8Array): string;
  /**
   * Starts a program with the caller's stdin, stdout and stderr and leaves it stopped (under ptrace) before its first
   * instruction in user space, after exec: its mappings are there, nothing has run. Returns its pid. If the calling thread
   * ends before the call of resume(), by whatever signal, the kernel kills the program.
   */
  spawnStopped(options: SpawnOptions): number;
  resume(pid: number): void;
  /** Throws when the program does not stand where spawnStopped() has left it. */
  readonly ProgramFollower: new (
    started: number,
  ) => ProgramFollower;
  /** Waits for the end of a process that spawnStopped() started, and reaps it: works once per process. */
  waitExit(pid: number): Promise<ExitStatus>;
  /**
   * Calls `ended` once, when a process has ended; the returned function ends the watch before. It does not keep Node from
   * exiting. Throws, with the code ESRCH, when there is no such process.
   */
  watchEnd(pid: number, ended: () => void): () => void;
  /**
   * Loads the BPF object at the path, and calls `executed` with processes that have executed a program, a few times a second at
   * most, and with whether these are all. The returned function ends the watch. It does not keep Node from exiting.
   */
  watchExecs(
    path: string,
    own: PidNamespace,
    executed: (pids: readonly number[], isComplete: boolean) => void,
  ): () => void;
  /**
   * Counts signals of one kind that processes send to this one, from now on. Node must listen to them already; it goes on
   * to get them. What a terminal sends, by Ctrl-C or when it hangs up, does not count.
   */
  countSentSignals(signal: number): void;
  /** How many were counted since the last call. */
  takeSentSignals(signal: number): number;
  /** Reads target memory; throws when not all of it can be read. */
  readMemory(pid: number, address: bigint, length: number): Buffer;
  /** CPU time that a process has used, all its threads. */
  cpuSeconds(pid: number): number;
  /**
   * From now on the kernel kills this process when it has used so many seconds of CPU time, from its start on, or when the one
   * that started it has ended.
   */
  limitThisProcess(cpuSeconds: number): void;
  /** From now on this process ends with that status when so many milliseconds are over, whatever its threads wait for. */
  endWithin(millis: number, status: number): void;
  /** CPUs that this machine may have: a per-CPU map has a value of each, also of those that are absent. */
  possibleCpus(): number;
  /** An instruction of this addon that runCalibration() executes once per pass: to be probed in this very process. */
  calibrationSite(): { path: string; offset: bigint };
  /** Goes through the calibration loop off the JavaScript thread. CPU seconds per pass: the median of the rounds. */
  runCalibration(passes: number, rounds: number): Promise<number>;
  /** Nanoseconds since the machine was started (CLOCK_BOOTTIME). They go on while it sleeps, whatever the time of day is set to. */
  bootNow(): bigint;
  /** What to add to them to have Unix nanoseconds. Changes when the time of day is set. */
  bootToEpoch(): bigint;
  /**
   * Makes the process give memory that it frees back to the operating system: what is free now at once, from now on larger
   * pieces when they are freed; pages of Node's program file too, which come back from the page cache where they are needed.
   * Takes milliseconds.
   */
  keepMemorySmall(): void;
}

/** The top folder, of the sources as of the bundle in build/cli. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let loaded: Addon | undefined;

function load(): Addon {
  try {
    loaded ??= bindings({ bindings: 'mapscope', module_root: ROOT }) as Addon;
    return loaded;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code !== 'ERR_DLOPEN_FAILED';
    const reason = missing ? 'it has not been built: run npm run setup' : messageOf(error);
    const message = `The native addon cannot be loaded: ${reason}.`;
    throw new UserError(message, EXIT.cannotObserve, { cause: error });
  }
}

/**
 * The native addon, built by node-gyp into build/Release/mapscope.node. It is loaded when it is first used: where a library is
 * missing or too old, the command must still be able to say so.
 */
export const addon: Addon = new Proxy({} as Addon, { get: (_, name) => Reflect.get(load(), name) });
