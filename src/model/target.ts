/** The observed Go process, as far as the exports describe it. */
export interface Target {
  /** In the sidecar's pid namespace. */
  pid: number;
  /** Path of the executable. */
  exe: string;
  /** As the binary says, e.g. `go1.26.1`. */
  goVersion: string;
  mapImplementation: 'classic' | 'swiss';
  /** No symbol table in the executable. */
  stripped: boolean;
  /** Exit status of the program; null while it runs, when a signal ended it, or when it is not our child. */
  exitCode: number | null;
  /** argv, with argv[0]. */
  commandLine: string[];
  /** When the process started, Unix nanoseconds. */
  startTimeUnixNano: bigint;
  /** Path of the main module, from the build information. */
  modulePath?: string;
  /** Go build ID of the executable. */
  buildId?: string;
  /** Of the container it runs in, where that may be seen. */
  containerId?: string;
  /** The process' environment at its start, where it may be read. */
  environment?: Record<string, string>;
}
