import bindings from 'bindings';

/** Byte offset and size of one field of a record in bpf/records.h; `count` is the array length, 1 for a scalar. */
export interface FieldLayout {
  readonly offset: number;
  /** Size of one element in bytes. */
  readonly size: number;
  readonly count: number;
}

/** Layout of one struct of bpf/records.h as the C++ compiler sees it. */
export interface RecordLayout {
  readonly size: number;
  /** A struct inside a struct is spread out under its path: `type.home`. */
  readonly fields: Readonly<Record<string, FieldLayout>>;
}

/** What bpf/records.h declares, published by the addon so that no layout is written twice. */
export interface Records {
  readonly structs: Readonly<Record<string, RecordLayout>>;
  /** Enumerations: constant name to value, per enum. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly constants: Readonly<Record<string, number>>;
  /** The constants of 64 bits, which a number would not hold exactly. */
  readonly wideConstants: Readonly<Record<string, bigint>>;
}

/**
 * How probe sites are attached: one link for all sites (Linux 6.6), or one perf event per site.
 *
 * Perf events are for older kernels only: they need CAP_SYS_ADMIN, and detach takes its time for each site (0.1 s where
 * a link with any number of sites takes 0.04 s), while the remaining sites go on counting.
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
  /** Maps taken from another, loaded object instead of being made anew, by name: the same name, types and sizes there. */
  readonly sharedMaps?: Readonly<Record<string, ProbeObject>>;
  /** Pinned maps used instead of being made anew: path by name. */
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
  /** A CPU has reached the hit limit. */
  readonly full: boolean;
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
  /** Reads an array map that all CPUs share. @param most elements to read, the first ones; default: all */
  readArray(name: string, most?: number): Promise<SharedContents>;
  /** Reads a per-CPU map. @param most elements to read, of an array the first ones; default: all */
  readPerCpuMap(name: string, most?: number): Promise<PerCpuContents>;
  /** Nanoseconds and runs of the program so far (needs run statistics, see enableRunStatistics). */
  runStatistics(): { runTimeNs: bigint; runCount: bigint };
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
}

/**
 * What fails throws or rejects with one sentence for people, and with the errno's name in the error's `code`: EPERM, or
 * ENOEXEC for a file that is no BPF object. An argument of the wrong type is a TypeError.
 */
export interface Addon {
  readonly records: Records;
  readonly ProbeObject: new (options: ProbeObjectOptions) => ProbeObject;
  features(): Features;
  /**
   * Starts a program with the caller's stdin, stdout and stderr and leaves it stopped (SIGSTOP) before its first
   * instruction in user space, after exec: its mappings are there, nothing has run. Returns its pid. If this process
   * ends before the call of resume(), the program is killed.
   */
  spawnStopped(options: SpawnOptions): number;
  resume(pid: number): void;
  /** Waits for the end of a process that spawnStopped() started, and reaps it: works once per process. */
  waitExit(pid: number): Promise<ExitStatus>;
  /**
   * Calls `ended` once, when a process has ended; the returned function ends the watch before. It does not keep Node from
   * exiting. Throws, with the code ESRCH, when there is no such process.
   */
  watchEnd(pid: number, ended: () => void): () => void;
  /** Reads target memory; throws when not all of it can be read. */
  readMemory(pid: number, address: bigint, length: number): Buffer;
  /** CPU time that a process has used, all its threads. */
  cpuSeconds(pid: number): number;
  /** An instruction of this addon that runCalibration() executes once per pass: to be probed in this very process. */
  calibrationSite(): { path: string; offset: bigint };
  /** Goes through the calibration loop off the JavaScript thread. CPU seconds per pass: the median of the rounds. */
  runCalibration(passes: number, rounds: number): Promise<number>;
  /** What to add to the kernel's times (CLOCK_MONOTONIC) to have Unix nanoseconds. Changes when the system's time is set. */
  monotonicToEpoch(): bigint;
  /**
   * Makes the process give memory that it frees back to the operating system: what is free now at once, from now on larger
   * pieces when they are freed. Takes milliseconds.
   */
  keepMemorySmall(): void;
  /**
   * Keeps the kernel's run-time statistics of BPF programs switched on until the returned function is called. Needs
   * CAP_SYS_ADMIN, unlike all the rest.
   */
  enableRunStatistics(): () => void;
}

/** The native addon, built by node-gyp into build/Release/mapscope.node. */
export const addon: Addon = bindings('mapscope') as Addon;
