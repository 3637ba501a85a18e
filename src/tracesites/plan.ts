import type { GoBinary } from '../gobinary/index.ts';
import { BinaryError } from '../gobinary/index.ts';
import { planGoroutines } from './goroutines.ts';
import { planSdk, type SdkOffsets } from './sdk.ts';
import { RefusedError, type TraceSite } from './site.ts';

/** Where span contexts come from. */
export type TraceSourceName = 'sdk' | 'goroutines';

type Followed =
  | { readonly source: 'sdk'; readonly sites: readonly TraceSite[]; readonly offsets: SdkOffsets }
  | { readonly source: 'goroutines'; readonly sites: readonly TraceSite[] };

/** What can be done about one source in a binary. */
export type TraceSourcePlan =
  | (Followed & { readonly outcome: 'followed' })
  /** The program does not contain the library. */
  | { readonly source: TraceSourceName; readonly outcome: 'absent' }
  /** It cannot be followed. The reason is a sentence about the program without its full stop. */
  | { readonly source: TraceSourceName; readonly outcome: 'refused'; readonly reason: string };

/**
 * Plans the probe sites that follow span contexts in a program, per source. All of them are instructions that the kernel
 * emulates, so each hit costs one trap. Offsets come from the program's own type descriptors. What cannot be proven is refused.
 */
export function planTraceSites(binary: GoBinary): TraceSourcePlan[] {
  return [planned('sdk', () => planSdk(binary)), planned('goroutines', () => planGoroutines(binary))];
}

function planned<S extends TraceSourceName>(
  source: S,
  plan: () => Omit<Extract<Followed, { source: S }>, 'source'> | undefined,
): TraceSourcePlan {
  try {
    const found = plan();
    if (found === undefined) return { source, outcome: 'absent' };
    return { source, outcome: 'followed', ...found } as TraceSourcePlan;
  } catch (error) {
    if (!(error instanceof RefusedError || error instanceof BinaryError)) throw error;
    return { source, outcome: 'refused', reason: error.message };
  }
}
