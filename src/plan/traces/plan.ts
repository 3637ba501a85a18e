import { BinaryError, type GoBinary } from '../../gobinary/index.ts';
import { Program } from './go-program.ts';
import { planGoroutines } from './goroutines.ts';
import { GRPC_FUNCTIONS, type GrpcOffsets, planGrpc } from './grpc.ts';
import { HTTP_FUNCTIONS, type HttpPlan, planHttp } from './http.ts';
import { planSdk, SDK_FUNCTIONS, type SdkOffsets } from './sdk.ts';
import { RefusedError, type TraceSite } from './site.ts';

/** Where span contexts come from, and the goroutines that inherit them. */
export type TraceSourceName = 'sdk' | 'http' | 'grpc' | 'goroutines';

/** What a source needs to be followed; see the functions that plan them for what its sites mean. */
export type FollowedSource =
  | { readonly source: 'sdk'; readonly sites: readonly TraceSite[]; readonly offsets: SdkOffsets }
  | ({ readonly source: 'http' } & HttpPlan)
  | { readonly source: 'grpc'; readonly sites: readonly TraceSite[]; readonly offsets: GrpcOffsets }
  | { readonly source: 'goroutines'; readonly sites: readonly TraceSite[] };

/** What can be done about one source in a binary. */
export type TraceSourcePlan =
  | (FollowedSource & { readonly outcome: 'followed' })
  /** The program does not contain the library. */
  | { readonly source: TraceSourceName; readonly outcome: 'absent' }
  /** It cannot be followed. The reason is a sentence about the program without its full stop. */
  | { readonly source: TraceSourceName; readonly outcome: 'refused'; readonly reason: string };

/**
 * Plans the probe sites that follow span contexts in a program, per source. All of them are instructions that the kernel
 * emulates, so each hit costs one trap. Registers and offsets come from what the program itself says of its functions and
 * types. What cannot be proven is refused, the other sources are planned all the same.
 */
export function planTraceSites(binary: GoBinary): TraceSourcePlan[] {
  const probed = [...SDK_FUNCTIONS, ...HTTP_FUNCTIONS, ...GRPC_FUNCTIONS];
  const program = new Program(binary, probed);
  return [
    planned('sdk', () => withSource('sdk', planSdk(program))),
    planned('http', () => withSource('http', planHttp(program))),
    planned('grpc', () => withSource('grpc', planGrpc(program))),
    planned('goroutines', () => withSource('goroutines', planGoroutines(program))),
  ];
}

function withSource<S extends TraceSourceName, P>(source: S, plan: P | undefined) {
  return plan === undefined ? undefined : { source, ...plan };
}

function planned(source: TraceSourceName, plan: () => FollowedSource | undefined): TraceSourcePlan {
  try {
    const found = plan();
    return found === undefined ? { source, outcome: 'absent' } : { ...found, outcome: 'followed' };
  } catch (error) {
    if (!(error instanceof RefusedError || error instanceof BinaryError)) {
      throw error;
    }
    return { source, outcome: 'refused', reason: error.message };
  }
}
