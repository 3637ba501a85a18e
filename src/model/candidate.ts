import type { SourcePosition } from './position.ts';

/**
 * One lookup in full, which may become an exemplar: the lookup of a histogram's bucket that leads to the trace, and
 * the goroutine, that paid for it. Keys, values and addresses are not part of it.
 */
export interface ExemplarCandidate {
  /** Together with `type` and `hit` what it is counted under, in the words of the snapshot. */
  callSite: SourcePosition;
  /** The map's type as Go prints it. */
  type: string;
  hit: boolean;
  /** When the lookup was made, Unix nanoseconds. */
  time: bigint;
  /** Buckets (classic) or groups (Swiss) visited, >= 1. */
  probeLength: number;
  /** Full key compares made. */
  keyComparisons: number;
  /** 32 hexadecimal digits; absent when no span context was found. */
  traceId?: string;
  /** 16 hexadecimal digits. */
  spanId?: string;
  /** Whether the span is recorded; absent when that is not known. */
  sampled?: boolean;
  /** Go numbers goroutines from 1; 0 when not known. */
  goroutine: number;
  /** The goroutine that started this one. */
  parentGoroutine?: number;
}

/** Not all zeros: that stands for no trace (W3C Trace Context, 3.2.2.3). */
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;

/** Whether a span context was found. */
export function hasTrace({ traceId }: ExemplarCandidate): boolean {
  return traceId !== undefined && TRACE_ID.test(traceId);
}

/** How surely a lookup leads to a trace: 0 not, 1 perhaps, 2 surely. */
export function traceRank(lookup: ExemplarCandidate): number {
  if (!hasTrace(lookup) || lookup.sampled === false) {
    return 0;
  }
  return lookup.sampled === true ? 2 : 1;
}

/** Where candidates come from. */
export interface CandidateSource {
  /**
   * Hands out the candidates since the last call; called once per export, right after the snapshot was read, and must not
   * wait. A lookup belongs to a snapshot when its time is not after the snapshot's; it must have been counted by then.
   */
  drainCandidates(): ExemplarCandidate[];
}
