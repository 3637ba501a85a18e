/** What exports say about the observed Go process. */
export interface Target {
  /** In the sidecar's pid namespace. */
  pid: number;
  /** Path of the executable. */
  exe: string;
  /** Path of what is observed, when that is not the executable: a library, or the program that a dynamic loader has loaded. */
  image?: string;
  /** As the binary says, e.g. `go1.26.1`. */
  goVersion: string;
  mapImplementation: 'classic' | 'swiss';
  /** No symbol table in the executable. */
  stripped: boolean;
  /** Exit status of the program; null while it runs, when a signal ended it, or when it is not our child. */
  exitCode: number | null;
  /** Name of the signal that ended the program, such as SIGKILL; null when none did, or when it is not our child. */
  signal: string | null;
  /** What tells this process from all others, for as long as it lives; says nothing else. */
  key: string;
  /** In the process's own pid namespace. */
  ownPid: number;
  /** As the process sees it, where that can be known. */
  hostName?: string;
  /** Go build ID of the executable. */
  buildId?: string;
  /** Version of the main module, where the binary says it. */
  moduleVersion?: string;
  /** Of the container it runs in, where that may be seen. */
  containerId?: string;
  /** The process' environment at its start, where it may be read. */
  environment?: Record<string, string>;
  /** The Kubernetes pod it runs in, where that may be seen. */
  pod?: Pod;
}

/** A Kubernetes pod. */
export interface Pod {
  uid?: string;
  namespace?: string;
  /** Whether the sidecar runs in it, too, so that what it is told of its pod is true of the target. */
  isOurs: boolean;
}
