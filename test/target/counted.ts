/* What the programs of a running mapscope have counted so far, as its maps in the kernel say: tests wait for that. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { recordConstant } from '../../src/kernel/records.ts';

/** Hits that were let into decoding, of what is observed now; 0 while nothing is. */
export function decoded(pid: number): number {
  const [hits, closed] = [recordConstant('COUNTER_HITS'), recordConstant('COUNTER_WINDOW_CLOSED')];
  return sum(newest(pid, 'cpu_states'), ({ own_hits, counters }) => {
    const counts = counters as number[];
    return Number(own_hits) + (counts[hits] ?? 0) - (counts[closed] ?? 0);
  });
}

/** Lookups that were compared with what functions returned; 0 while nothing is verified. */
export function verified(pid: number): number {
  return sum(newest(pid, 'verify_progress'), ({ checked }) => Number(checked));
}

type Value = Readonly<Record<string, unknown>>;

/** An element of a map, in all its values: one, or one of each CPU. */
interface Element {
  readonly value?: Value;
  readonly values?: readonly { readonly value: Value }[];
}

function sum(elements: readonly Element[], count: (value: Value) => number): number {
  const values = elements.flatMap(({ value, values = [] }) =>
    value === undefined ? values.map((each) => each.value) : [value],
  );
  return values.reduce((all, value) => all + count(value), 0);
}

/** What is in the map of that name that the process has made last. */
function newest(pid: number, name: string): readonly Element[] {
  const own = new Set(mapsOf(pid));
  const ids = listed()
    .filter((map) => map.name === name && own.has(map.id))
    .map(({ id }) => id)
    .sort((a, b) => b - a);
  for (const id of ids) {
    try {
      return bpftool('map', 'dump', 'id', `${id}`).map(({ formatted }: { formatted: Element }) => formatted);
    } catch {
      // It is gone.
    }
  }
  return [];
}

/** Those of the whole machine; none when one went away meanwhile, which whoever waits asks again for. */
function listed(): readonly { readonly id: number; readonly name?: string }[] {
  try {
    return bpftool('map', 'list');
  } catch {
    return [];
  }
}

function mapsOf(pid: number): number[] {
  try {
    const files = readdirSync(`/proc/${pid}/fdinfo`).map((fd) => textOf(`/proc/${pid}/fdinfo/${fd}`));
    return [...new Set(files.flatMap((text) => /^map_id:\s+(\d+)$/m.exec(text)?.[1] ?? []).map(Number))];
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has been closed.
  }
}

function bpftool(...args: readonly string[]) {
  return JSON.parse(
    execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
}
