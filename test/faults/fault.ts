import type { Scene } from './scene.ts';

/** How much of each fault: the whole takes half an hour, and the tests of every day have a minute. */
export interface Extent {
  /** Seconds that a receiver is away. */
  readonly outage: number;
  /** Seconds that other states last. */
  readonly lasting: number;
  /** Restarts of the service, one after the other. */
  readonly restarts: number;
  /** Times that mapscope is killed. */
  readonly kills: number;
}

export const SHORT: Extent = { outage: 15, lasting: 1, restarts: 2, kills: 9 };
export const LONG: Extent = { outage: 600, lasting: 60, restarts: 50, kills: 200 };

/** What is said of a fault in the table. */
export interface Outcome {
  /** In words. */
  readonly happened: string;
  /** Lookups that the kernel had counted and the receiver was never told of. */
  readonly lost: number;
  /** From the fault's end until the receiver had lookups again; undefined where nothing was interrupted. */
  readonly recoveredMillis?: number;
}

/** Something that goes wrong. It throws when mapscope does not bear it as it should. */
export interface Fault {
  readonly name: string;
  /** The scene has a service and a sidecar that observes it, and has them afterwards. @returns undefined where this machine cannot do it */
  readonly happen: (scene: Scene, extent: Extent) => Promise<Outcome | undefined>;
}

export function inWords({ happened, lost, recoveredMillis }: Outcome): string {
  return `${happened}; lost ${lost}; recovered ${recovery(recoveredMillis)}`;
}

/** For the table's last column. */
export function recovery(millis: number | undefined): string {
  return millis === undefined ? '-' : `${(millis / 1000).toFixed(1)} s`;
}

export function inSeconds(seconds: number): string {
  return `${Number(seconds.toFixed(1))} s`;
}
