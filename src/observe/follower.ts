import { closeSync } from 'node:fs';
import { EXIT, messageOf, UserError } from '../errors.ts';
import type { GoBinary } from '../gobinary/index.ts';
import { type AttachMethod, addon, type ProbeObject } from '../kernel/addon.ts';
import { encodeRecords, RecordReader, type RecordValues, recordConstant } from '../kernel/records.ts';
import type { Following } from '../model/following.ts';
import { checkMappedBytes } from '../target/mapped.ts';
import { openExecutable } from '../target/process.ts';
import type { HttpSite } from '../tracesites/http.ts';
import type { TraceSourcePlan } from '../tracesites/plan.ts';
import type { TraceEvent, TraceSite, TraceValue } from '../tracesites/site.ts';
import { kernelAttachMethod } from './attachmethod.ts';
import { goroutineRecord } from './goroutinedata.ts';
import { objectPath } from './program.ts';

export interface FollowerOptions {
  readonly pid: number;
  readonly binary: GoBinary;
  /** Run-time address minus link-time address of the binary. */
  readonly bias: number;
  /** What to follow: sources that are absent or refused are passed over. */
  readonly plans: readonly TraceSourcePlan[];
  readonly attachMethod?: AttachMethod;
}

/** Spans, and goroutines, that the kernel remembers; the longest unused ones are forgotten. About 100 bytes each. */
const MOST_SPANS = 32_768;
const MOST_GOROUTINES = 32_768;

/** How much has been followed, and at what cost. */
export interface FollowerUsage {
  readonly hits: number;
  readonly timedHits: number;
  readonly timedSeconds: number;
  /** Nearly all requests got a span of the SDK: probes that follow requests would only know the outer one. */
  readonly requestsHaveSpans: boolean;
}

/** Requests that tell whether the SDK's spans cover them, and the share of them that must have one. */
const REQUEST_EVENTS = ['TRACE_HTTP_REQUEST', 'TRACE_GRPC_REQUEST'] as const;
const ENOUGH_REQUESTS = 100;
const SPANNED_SHARE = 0.9;

/** The maps that the lookup program reads. */
export const SPAN_MAPS = ['span_contexts', 'goroutine_spans', 'trace_controls'] as const;

/** Follows which span is current on which goroutine of one target, with probes where spans begin and end. */
export class SpanFollower {
  readonly kernel: ProbeObject;
  readonly #pid: number;
  /** Held open: whatever the process executes later, only this file is ever probed. */
  readonly #executable: number;
  #sites: readonly (TraceSite | HttpSite)[];
  /** What the sites see. */
  readonly #events: ReadonlySet<string>;
  readonly #sources: Pick<Following, 'sources' | 'refused'>;
  readonly #counts = new RecordReader('trace_counts');
  /** Number of the latest attach; the kernel has 0 while not all probes are in. */
  #generation = 0;
  /** Attaching and detaching take turns. */
  #last: Promise<void> = Promise.resolve();

  private constructor(
    kernel: ProbeObject,
    pid: number,
    executable: number,
    plans: readonly TraceSourcePlan[],
  ) {
    this.kernel = kernel;
    this.#pid = pid;
    this.#executable = executable;
    this.#sites = plans.filter(isFollowed).flatMap(({ sites }): readonly TraceSite[] => sites);
    this.#events = new Set(this.#sites.map(({ event }) => event));
    this.#sources = {
      sources: plans.filter(isFollowed).map(({ source }) => source),
      refused: plans.flatMap((plan) =>
        plan.outcome === 'refused' ? [{ source: plan.source, reason: plan.reason }] : [],
      ),
    };
  }

  /**
   * Loads the program; nothing is attached yet.
   *
   * @returns undefined when there is nothing to follow
   * @throws UserError when the target's code differs from its executable, or the program cannot be loaded
   */
  static async load(options: FollowerOptions): Promise<SpanFollower | undefined> {
    const { pid, binary, plans } = options;
    const followed = plans.filter(isFollowed);
    const goroutines = goroutineRecord(binary, { withSpans: true });
    // Goroutines alone tell nothing.
    if (goroutines === undefined || followed.every(({ source }) => source === 'goroutines')) return undefined;
    for (const { sites } of followed) checkMappedBytes(pid, options.bias, sites);
    const kernel = new addon.ProbeObject({
      objectPath: objectPath('trace'),
      attachMethod: options.attachMethod ?? kernelAttachMethod(addon.features()),
      sleepable: false,
      readOnlyData: {
        goroutines,
        trace_layout: encodeRecords('trace_layout', [traceLayout(followed, binary)]),
      },
      mapSizes: { span_contexts: MOST_SPANS, goroutine_spans: MOST_GOROUTINES },
    });
    const executable = openExecutable(pid);
    try {
      await kernel.load();
    } catch (error) {
      kernel.close();
      closeSync(executable);
      throw new UserError(
        `The BPF program that follows spans could not be loaded: ${messageOf(error)}`,
        EXIT.cannotObserve,
        { cause: error },
      );
    }
    return new SpanFollower(kernel, pid, executable, plans);
  }

  /**
   * Begins to follow, or begins anew where it was attached already. Spans that began before all probes were in are not known:
   * their ends may have been missed.
   */
  attach(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#takeOut();
      await this.kernel.attach({
        path: `/proc/self/fd/${this.#executable}`,
        pid: this.#pid,
        offsets: this.#sites.map((site) => BigInt(site.fileOffset)),
        cookies: this.#sites.map(cookie),
      });
      this.#setGeneration(++this.#generation);
    });
  }

  /** Takes the probes out. From then on no lookup has a span from here. */
  detach(): Promise<void> {
    return this.#inTurn(() => this.#takeOut());
  }

  async #takeOut(): Promise<void> {
    this.#setGeneration(0);
    await this.kernel.detach();
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

  /** What the program met so far. */
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
    let hits = 0;
    for (let event = 0; event < recordConstant('TRACE_EVENTS'); event++) hits += sum('events', event);
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
  async #counters(): Promise<(field: string, index?: number) => number> {
    const counters = await this.kernel.readPerCpuMap('trace_counters');
    return (field, index) => this.#counts.sum(counters, field, index);
  }

  /** Gives everything back. An attach that is under way ends first, and must not find another file under the same number. */
  close(): void {
    this.kernel.close();
    void this.#last.then(() => closeSync(this.#executable));
  }
}

type Followed = Extract<TraceSourcePlan, { readonly outcome: 'followed' }>;

function isFollowed(plan: TraceSourcePlan): plan is Followed {
  return plan.outcome === 'followed';
}

/** Events of the planner in the program's words, with the values it wants of registers: subject, then object. */
const EVENTS: Readonly<Record<TraceEvent, { name: string; values: readonly TraceValue[] }>> = {
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
    if (register === undefined) throw new RangeError(`no register holds the ${value} at ${site.function}`);
    return BigInt(register) << BigInt(shifts[i] ?? 0);
  });
  const offset =
    'header' in site ? BigInt(site.header ?? 0) << BigInt(recordConstant('TRACE_COOKIE_OFFSET')) : 0n;
  return registers.reduce((all, register) => all | register, BigInt(recordConstant(name)) | offset);
}

function traceLayout(followed: readonly Followed[], binary: GoBinary): RecordValues {
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
  if (fits) return plan;
  const reason = 'its headers are kept in larger structures than in any known version';
  return { source: plan.source, outcome: 'refused', reason };
}

/** The fields of the record that a source needs. */
function sourceLayout(plan: Followed, binary: GoBinary): RecordValues {
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
