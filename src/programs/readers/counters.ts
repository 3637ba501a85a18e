import type { PerCpuContents, ProbeObject } from '../../kernel/addon.ts';
import { type FieldOf, RecordReader, recordConstant, recordEnum } from '../../kernel/records.ts';

/** The places of outcomes that are told apart by reason, with the reasons: the same for all programs. */
interface Reasons {
  readonly unreadable: readonly (readonly [reason: string, index: number])[];
  readonly dropped: readonly (readonly [reason: string, index: number])[];
}

let known: Reasons | undefined;

function reasons(): Reasons {
  const group = (prefix: string) =>
    Object.entries(recordEnum('counter'))
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, index]) => [name.slice(prefix.length).toLowerCase(), index] as const);
  known ??= { unreadable: group('COUNTER_UNREADABLE_'), dropped: group('COUNTER_DROPPED_') };
  return known;
}

/** The program's counters, summed over CPUs: what became of the hits that are not in an aggregate. */
export interface Counters {
  readonly hits: number;
  /** At a site whose lookup another one records. */
  readonly deferred: number;
  /** At that other site, of lookups that had been deferred. These hits have an outcome of their own. */
  readonly resumed: number;
  /** In maps that were emptied between the function's check and the probe site; not lookups by definition. */
  readonly empty: number;
  /** While a window's gate was closed: a trap, and nothing decoded. */
  readonly windowClosed: number;
  readonly unreadable: Record<string, number>;
  readonly dropped: Record<string, number>;
  /** Of spikes, candidates for exemplars, and lookups in maps of types made at run time: those that the kernel had no room for. */
  readonly lost: { readonly spikes: number; readonly exemplars: number; readonly types: number };
  /** Hits whose decoding was timed, and how long it took them. */
  readonly timedHits: number;
  readonly timedSeconds: number;
}

export async function readCounters(program: ProbeObject): Promise<Counters> {
  return decodeCounters(await program.readPerCpuMap('cpu_states'));
}

/** The counters in the map `cpu_states`. */
export function decodeCounters(states: PerCpuContents): Counters {
  const state = new RecordReader('cpu_state');
  const sum = (field: FieldOf<'cpu_state'>, index = 0) => state.sum(states, field, index);
  const value = (index: number) => sum('counters', index);
  const group = (which: Reasons[keyof Reasons]) =>
    Object.fromEntries(which.map(([reason, index]) => [reason, value(index)]));
  const { unreadable, dropped } = reasons();
  return {
    hits: value(recordConstant('COUNTER_HITS')) + sum('own_hits'),
    deferred: value(recordConstant('COUNTER_DEFERRED')),
    resumed: sum('resumed'),
    empty: value(recordConstant('COUNTER_EMPTY')),
    windowClosed: value(recordConstant('COUNTER_WINDOW_CLOSED')),
    unreadable: group(unreadable),
    dropped: group(dropped),
    lost: { spikes: sum('lost_spikes'), exemplars: sum('lost_exemplars'), types: sum('lost_types') },
    timedHits: sum('timed_hits'),
    timedSeconds: sum('timed_ns') * 1e-9,
  };
}

/** Of the hits whose time was taken, those of each probe site. */
export function decodeSiteHits(states: PerCpuContents, sites: number): number[] {
  const state = new RecordReader('cpu_state');
  const siteHits = state.field('site_hits');
  return Array.from({ length: sites }, (_, site) => {
    let sum = 0;
    for (let cpu = 0; cpu < states.cpus; cpu++) {
      sum += siteHits.number(states.values, cpu * state.size, site);
    }
    return sum;
  });
}

/** The reasons for inexact lookups, in the order of enum inexact_reason, in words that can be printed. */
export function inexactReasons(): string[] {
  const reasons: string[] = [];
  for (const [name, value] of Object.entries(recordEnum('inexact_reason'))) {
    if (name !== 'INEXACT_COUNT') {
      reasons[value] = name.slice('INEXACT_'.length).toLowerCase();
    }
  }
  return reasons;
}
