import { LIMITS } from './limits.ts';

/** What observation costs the target's CPUs, in seconds. */
export interface Costs {
  /** Of each hit of a probe site, whatever becomes of it. */
  readonly trap: number;
  /** Of decoding a hit, on top. */
  readonly decode: number;
  /** Of attaching and detaching once, for each CPU that the target keeps busy. */
  readonly attach: number;
}

/** What has happened since the last call. */
export interface Load {
  readonly seconds: number;
  /** CPU time the target has used. */
  readonly cpuSeconds: number;
  /** What other probes than those of windows have cost the target. */
  readonly otherSeconds: number;
}

/** What a window has cost. */
export function windowCost(
  { hits, decoded }: { readonly hits: number; readonly decoded: number },
  load: Load,
  costs: Costs,
): number {
  return hits * costs.trap + decoded * costs.decode + busyCpus(load) * costs.attach;
}

/** CPUs that the target kept busy. */
export function busyCpus({ seconds, cpuSeconds }: Load): number {
  return seconds > 0 ? cpuSeconds / seconds : 0;
}

/** What the floor of lookups per second costs, in CPU seconds per second: allowed whatever the target uses. */
export function floorRate({ trap, decode }: Costs): number {
  return Math.min(LIMITS.floor * (trap + decode), LIMITS.floorCost);
}
