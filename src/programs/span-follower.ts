import type { GoBinary } from '../gobinary/index.ts';
import type { AttachMethod, ProbeObject } from '../kernel/addon.ts';
import {
  encodeRecords,
  type FieldOf,
  type NumberConstant,
  RecordReader,
  type RecordValues,
  recordConstant,
} from '../kernel/records.ts';
import type { Following } from '../model/following.ts';
import type { HttpSite } from '../plan/traces/http.ts';
import type { TraceSourcePlan } from '../plan/traces/plan.ts';
import type { TraceEvent, TraceSite, TraceValue } from '../plan/traces/site.ts';
import type { MappedBinary } from '../target/mapped.ts';
import { goroutineRecord } from './data/goroutines.ts';
import { possibleCpus, scratchRoom } from './data/room.ts';
import { TargetProgram } from './target-program.ts';

export interface FollowerOptions {
  readonly target: MappedBinary;
  /** What to follow: sources that are absent or refused are passed over. */
  readonly plans: readonly TraceSourcePlan[];
  readonly attachMethod?: AttachMethod | undefined;
  /** CPUs that the machine may have. Default: this machine's. */
  readonly cpus?: number;
}

/** Spans, and goroutines, that the kernel remembers; it forgets the least recently used. About 100 bytes each. */
const MOST_SPANS = 32_768;
const MOST_GOROUTINES = 32_768;

/** How much has been followed, and at what cost. */
export interface FollowerUsage {
  /** Traps, whatever came of them. */
  readonly hits: number;
  readonly timedHits: number;
  readonly timedSeconds: number;
  /** Nearly all requests got a span of the SDK: probes that follow requests would only know the outer one. */
  readonly requestsHaveSpans: boolean;
}

/** Requests that show whether the SDK's spans cover them, and the share of them that must have one. */
const REQUEST_EVENTS = ['TRACE_HTTP_REQUEST', 'TRACE_GRPC_REQUEST'] as const;
const ENOUGH_REQUESTS = 100;
const SPANNED_SHARE = 0.9;

/** The maps that the lookup program shares: what is followed, and whether that image has ended. */
export const SPAN_MAPS = ['span_contexts', 'goroutine_spans', 'trace_controls', 'observed_images'] as const;

/** Follows which span is current on which goroutine of one target, with probes where spans begin and end. */
export class SpanFollower {
  readonly #program: TargetProgram;
  #sites: readonly (TraceSite | HttpSite)[];
  /** What the sites see. */
  readonly #events: ReadonlySet<string>;
  readonly #sources: Pick<Following, 'sources' | 'refused'>;
  readonly #counts = new RecordReader('trace_counts');
  /** Number of the latest attach; the kernel has 0 while not all probes are in. */
  #generation = 0;
  /** Attaching and detaching take turns. */
  #last: Promise<void> = Promise.resolve();

  private constructor(program: TargetProgram, plans: readonly TraceSourcePlan[]) {
    this.#program = program;
    this.#sites = plans.filter(isFollowed).flatMap(({ sites }): readonly TraceSite[] => sites);
    this.#events = new Set(this.#sites.map(({ event }) => event));
    this.#sources = {
      sources: plans.filter(isFollowed).map(({ source }) => source),
      refused: plans.flatMap((plan) =>
        plan.outcome === 'refused' ? [{ source: plan.source, reason: plan.reason }] : [],
      ),
    };
  }

  get kernel(): ProbeObject {
    return this.#program.kernel;
  }

  get attachMethod(): AttachMethod {
    return this.#program.attachMethod;
  }

  /**
   * Loads the program; nothing is attached yet.
   *
   * @returns undefined when there is nothing to follow
   * @throws UserError when the target's code differs from its executable, or the program cannot be loaded
   */
  static async load(options: FollowerOptions): Promise<SpanFollower | undefined> {
    const { target, plans } = options;
    const { binary } = target;
    const followed = plans.filter(isFollowed);
    const goroutines = goroutineRecord(binary, { withSpans: true });
    // Goroutines alone give no trace.
    if (goroutines === undefined || followed.every(({ source }) => source === 'goroutines')) {
      return undefined;
    }
    for (const { sites } of followed) {
      target.checkCode(sites);
    }
    const scratch = scratchRoom(options.cpus ?? possibleCpus());
    const program = await TargetProgram.load(target, {
      name: 'trace',
      title: 'The BPF program that follows spans',
      attachMethod: options.attachMethod,
      readOnlyData: {
        goroutines,
        ...scratch.readOnlyData,
        trace_layout: encodeRecords('trace_layout', [traceLayout(followed, binary)]),
      },
      mapSizes: {
        trace_scratch: scratch.entries,
        span_contexts: MOST_SPANS,
        goroutine_spans: MOST_GOROUTINES,
      },
    });
    return new SpanFollower(program, plans);
  }

  /**
   * Starts following, or starts over when it was attached already. Spans that began before all probes were in are not known:
   * their ends may have been missed.
   */
  attach(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#takeOut();
      await this.#program.attach(this.#sites.map((site) => ({ ...site, cookie: cookie(site) })));
      this.#setGeneration(++this.#generation);
    });
  }

  /** Takes the probes out. From then on no lookup has a span from here. */
  detach(): Promise<void> {
    return this.#inTurn(() => this.#takeOut());
  }

  async #takeOut(): Promise<void> {
    this.#setGeneration(0);
    await this.#program.detach();
  }

  #setGeneration(generation: number): void {
    const control = encodeRecords('trace_control', [{ generation }]);
    this.kernel.updateMap('trace_controls', Buffer.alloc(4), control, 1);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** What the program has seen so far. */
  async following(): Promise<Following> {
    const sum = await this.#counters();
    const events = Object.entries(EVENTS)
      .filter(([event]) => this.#events.has(event))
      .map(([event, { name }]) => [event, sum('events', recordConstant(name))]);
    return {
      ...this.#sources,
      events: Object.fromEntries(events),
      lost: { unreadable: sum('unreadable'), no_room: sum('dropped'), unknown_span: sum('unknown_spans') },
    };
  }

  /** Hits so far, and how long the program took for some of them; and whether requests need probes of their own. */
  async usage(): Promise<FollowerUsage> {
    const sum = await this.#counters();
    // Those of another image cost the process as much, until the probes are out.
    let hits = sum('of_next_image');
    for (let event = 0; event < recordConstant('TRACE_EVENTS'); event++) {
      hits += sum('events', event);
    }
    const requests = REQUEST_EVENTS.reduce((total, name) => total + sum('events', recordConstant(name)), 0);
    return {
      hits,
      timedHits: sum('timed_hits'),
      timedSeconds: sum('timed_ns') * 1e-9,
      requestsHaveSpans: requests >= ENOUGH_REQUESTS && sum('spanned') >= SPANNED_SHARE * requests,
    };
  }

  /** Leaves the probes that follow requests out, from the next attach on. @returns whether there were any */
  leaveOutRequests(): boolean {
    const before = this.#sites.length;
    this.#sites = this.#sites.filter(({ event }) => !event.startsWith('http') && !event.startsWith('grpc'));
    return this.#sites.length < before;
  }

  /** A reader of the counters, summed over CPUs. */
  async #counters(): Promise<(field: FieldOf<'trace_counts'>, index?: number) => number> {
    const counters = await this.kernel.readPerCpuMap('trace_counters');
    return (field, index) => this.#counts.sum(counters, field, index);
  }

  /** Releases all kernel resources, once an attach that is under way has ended: it needs the target's executable. */
  async close(): Promise<void> {
    this.#program.close();
    await this.#last;
  }
}

type Followed = Extract<TraceSourcePlan, { readonly outcome: 'followed' }>;

function isFollowed(plan: TraceSourcePlan): plan is Followed {
  return plan.outcome === 'followed';
}

/** Events of the planner in the program's words, with the values it wants of registers: subject, then object. */
const EVENTS: Readonly<Record<TraceEvent, { name: NumberConstant; values: readonly TraceValue[] }>> = {
  spanStart: { name: 'TRACE_SPAN_START', values: ['span'] },
  spanEnd: { name: 'TRACE_SPAN_END', values: ['span'] },
  goroutineStart: { name: 'TRACE_GOROUTINE_START', values: ['goroutine'] },
  httpRequest: { name: 'TRACE_HTTP_REQUEST', values: ['request'] },
  httpDone: { name: 'TRACE_HTTP_DONE', values: [] },
  grpcHeaders: { name: 'TRACE_GRPC_HEADERS', values: ['transport', 'frame'] },
  grpcRequest: { name: 'TRACE_GRPC_REQUEST', values: ['transport', 'stream'] },
  grpcDone: { name: 'TRACE_GRPC_DONE', values: [] },
};

function cookie(site: TraceSite | HttpSite): bigint {
  const { name, values } = EVENTS[site.event];
  const shifts = [recordConstant('TRACE_COOKIE_SUBJECT'), recordConstant('TRACE_COOKIE_OBJECT')];
  const registers = values.map((value, i) => {
    const register = site.registers[value];
    if (register === undefined) {
      throw new RangeError(`no register holds the ${value} at ${site.function}`);
    }
    return BigInt(register) << BigInt(shifts[i] ?? 0);
  });
  const offset =
    'header' in site ? BigInt(site.header ?? 0) << BigInt(recordConstant('TRACE_COOKIE_OFFSET')) : 0n;
  return registers.reduce((all, register) => all | register, BigInt(recordConstant(name)) | offset);
}

function traceLayout(followed: readonly Followed[], binary: GoBinary): RecordValues<'trace_layout'> {
  return Object.assign({}, ...followed.map((plan) => sourceLayout(plan, binary)));
}

/**
 * The plan, or its refusal when a structure is larger than what the program reads at once. No known version of a library has
 * such ones.
 */
export function fitting(plan: TraceSourcePlan): TraceSourcePlan {
  const room = recordConstant('TRACE_BLOCK_BYTES');
  const fits =
    plan.outcome !== 'followed' ||
    (plan.source === 'http'
      ? plan.headers.groupSize <= room
      : plan.source !== 'grpc' || plan.offsets.fieldSize * recordConstant('TRACE_FIELDS_PER_BLOCK') <= room);
  if (fits) {
    return plan;
  }
  const reason = 'it keeps headers in larger structures than any known version';
  return { source: plan.source, outcome: 'refused', reason };
}

/** The fields of the record that a source needs. */
function sourceLayout(plan: Followed, binary: GoBinary): RecordValues<'trace_layout'> {
  switch (plan.source) {
    case 'sdk': {
      const { traceId, spanId, traceFlags } = plan.offsets;
      return { trace_id: traceId, span_id: spanId, trace_flags: traceFlags };
    }
    case 'http': {
      const { keysOffset, keyStride, elemsOffset, elemStride, groupSize } = plan.headers;
      return {
        header_keys: keysOffset,
        header_key_stride: keyStride,
        header_elems: elemsOffset,
        header_elem_stride: elemStride,
        header_group_size: groupSize,
        swiss_headers: Number(binary.mapImplementation === 'swiss'),
      };
    }
    case 'grpc': {
      const { headersFrame, frameStreamId, fields, fieldSize, fieldName, fieldValue } = plan.offsets;
      const { embeddedStream, streamId } = plan.offsets;
      return {
        frame_fields: fields,
        field_size: fieldSize,
        field_name: fieldName,
        field_value: fieldValue,
        frame_headers: headersFrame,
        frame_stream_id: frameStreamId,
        stream_is_inner: Number(embeddedStream !== undefined),
        stream_inner: embeddedStream ?? 0,
        stream_id: streamId,
      };
    }
    case 'goroutines':
      return {};
  }
}
