/* The BPF maps that this process holds, and what they take of the kernel's memory. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface KernelMap {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entries: number;
  readonly flags: number;
  /** What the kernel says that it takes here. */
  readonly bytes: number;
}

interface Listed {
  readonly id: number;
  readonly name?: string;
  readonly type: string;
}

/** Each once, however many descriptors there are. */
export function mapsHeld(): KernelMap[] {
  const listed = JSON.parse(execFileSync('bpftool', ['-j', 'map', 'list'], { encoding: 'utf8' })) as Listed[];
  const found = new Map<number, KernelMap>();
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    const text = descriptor(fd);
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\w+)`, 'm').exec(text)?.[1]);
    const map = listed.find(({ id }) => id === field('map_id'));
    if (map !== undefined) {
      found.set(map.id, {
        id: map.id,
        name: map.name ?? '',
        type: map.type,
        keyBytes: field('key_size'),
        valueBytes: field('value_size'),
        entries: field('max_entries'),
        flags: field('map_flags'),
        bytes: field('memlock'),
      });
    }
  }
  return [...found.values()];
}

function descriptor(fd: string): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    return ''; // the listing's own descriptor is closed by now
  }
}

const PAGE = 4096;
const POINTER = 8;
const NO_PREALLOC = 1;
const MMAPABLE = 1 << 10;

/** Structs of Linux 6.18. */
const BUCKET = 16;
const HASH_ELEMENT = 48;

/**
 * What a map takes on a machine with so many possible CPUs, as the kernel reckons it (kernel/bpf/arraymap.c, hashtab.c:
 * *_map_mem_usage). Its descriptions of maps, of some hundred bytes each, are left out.
 *
 * @throws RangeError for a map that allocates at run time, of which nobody can say it, and for types that no program here has
 */
export function mapBytes(
  { name, type, keyBytes, valueBytes, entries, flags }: KernelMap,
  cpus: number,
): number {
  const [key, value] = [roundUp(keyBytes, 8), roundUp(valueBytes, 8)];
  const buckets = 2 ** Math.ceil(Math.log2(entries)) * BUCKET;
  if ((flags & NO_PREALLOC) !== 0) {
    throw new RangeError(`${name} allocates at run time`);
  }
  switch (type) {
    case 'array':
      return (flags & MMAPABLE) === 0 ? entries * value : PAGE + roundUp(entries * value, PAGE);
    case 'percpu_array':
      return entries * (POINTER + value * cpus);
    case 'hash':
      return buckets + (entries + cpus) * (HASH_ELEMENT + key + value) + cpus * POINTER;
    case 'lru_hash':
      return buckets + entries * (HASH_ELEMENT + key + value);
    case 'ringbuf':
      return 2 * PAGE + entries;
    default:
      throw new RangeError(`${name} is of type ${type}`);
  }
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
