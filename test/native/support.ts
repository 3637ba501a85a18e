// What the tests of the native addon share: fixtures built on demand, a target to probe, and a reader of its counts.

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import {
  type AttachMethod,
  addon,
  type ProbeObject,
  type ProbeObjectOptions,
} from '../../src/kernel/addon.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const OUTPUT = resolve(import.meta.dirname, '../../build/test/native');

// Detaching waits for the kernel's RCU most of the time, which many windows may do at once. Read when the pool starts.
process.env.UV_THREADPOOL_SIZE = '16';

export const METHODS: readonly AttachMethod[] = ['uprobe_multi', 'perf_event'];

/** Compiles, unless that is done; into a name of its own first, for test files run at the same time. */
function build(name: string, extension: string, command: readonly string[]): string {
  mkdirSync(OUTPUT, { recursive: true });
  const source = join(FIXTURES, name);
  const output = join(OUTPUT, name.replace(/\.c$/, extension));
  const changed = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changed(output) > Math.max(changed(source), changed(import.meta.filename))) {
    return output;
  }
  const temporary = `${output}.${process.pid}`;
  const [compiler = '', ...flags] = command;
  execFileSync(compiler, [...flags, source, '-o', temporary], { stdio: 'pipe' });
  renameSync(temporary, output);
  return output;
}

export function buildBpfObject(source: string): string {
  const triplet = execFileSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).trim();
  const flags = ['-target', 'bpf', '-O2', '-g', '-Wall', '-Werror', '-c', '-I', `/usr/include/${triplet}`];
  return build(source, '.o', ['clang-19', ...flags]);
}

export const buildProgram = (source: string, ...flags: string[]): string =>
  build(source, '', ['gcc', '-O1', '-Wall', '-Werror', '-pthread', ...flags]);

export const buildLibrary = (source: string): string =>
  build(source, '.so', ['gcc', '-O1', '-Wall', '-Werror', '-shared', '-fPIC']);

/** Where in the file a section starts: each probed function is alone in one. */
function sectionOffset(file: string, section: string): bigint {
  const headers = execFileSync('readelf', ['-SW', file], { encoding: 'utf8' });
  const offset = new RegExp(` ${section} +PROGBITS +[0-9a-f]+ ([0-9a-f]+)`).exec(headers)?.[1];
  assert.ok(offset, `${file} has no section ${section}`);
  return BigInt(`0x${offset}`);
}

/** A running target that makes calls when it is told to. */
export class Target {
  readonly path: string;
  readonly pid: number;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    this.path = path;
    this.#process = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.pid = this.#process.pid ?? assert.fail('the target did not start');
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Returns when the calls have been made. */
  async call(name: 'one' | 'two' | 'thread', count: number): Promise<void> {
    this.#process.stdin.write(`${name} ${count}\n`);
    assert.equal((await this.#lines.next()).value, 'done');
  }

  /** Attach options: site one has cookie 1, site two cookie 2. */
  sites(): { path: string; pid: number; offsets: bigint[]; cookies: bigint[] } {
    return { ...sitesOf(this.path), pid: this.pid, path: `/proc/${this.pid}/exe` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }
}

export function sitesOf(path: string): { path: string; offsets: bigint[]; cookies: bigint[] } {
  const offsets = [sectionOffset(path, 'probe_one'), sectionOffset(path, 'probe_two')];
  return { path, offsets, cookies: [1n, 2n] };
}

export function probeObject(objectPath: string, options: Partial<ProbeObjectOptions> = {}): ProbeObject {
  return new addon.ProbeObject({
    objectPath,
    attachMethod: 'uprobe_multi',
    sleepable: false,
    readOnlyData: {},
    mapSizes: {},
    ...options,
  });
}

export interface SiteCount {
  hits: number;
  weighted: number;
  marked: number;
}

/** The counts of each site, by cookie, all CPUs together. */
export async function readCounts(object: ProbeObject): Promise<Map<bigint, SiteCount>> {
  const { keys, values, count, cpus } = await object.readPerCpuMap('site_counts');
  assert.equal(keys.length, count * 8);
  assert.equal(values.length, count * cpus * 16);
  const counts = new Map<bigint, SiteCount>();
  for (let i = 0; i < count; i++) {
    const sum = { hits: 0, weighted: 0, marked: 0 };
    for (let cpu = 0; cpu < cpus; cpu++) {
      const at = (i * cpus + cpu) * 16;
      sum.hits += values.readUInt32LE(at);
      sum.weighted += values.readUInt32LE(at + 4);
      sum.marked |= values.readUInt32LE(at + 8);
    }
    counts.set(keys.readBigUInt64LE(i * 8), sum);
  }
  return counts;
}

export async function readHits(object: ProbeObject): Promise<Record<string, number>> {
  const counts = await readCounts(object);
  return Object.fromEntries([...counts].sort().map(([site, { hits }]) => [String(site), hits]));
}

export const openDescriptors = (pid: number | 'self' = 'self'): number =>
  readdirSync(`/proc/${pid}/fd`).length;

/** One field of /proc/PID/status. */
export function processStatus(pid: number, field: string): string {
  const line = new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return line?.[1] ?? assert.fail(`/proc/${pid}/status has no ${field}`);
}

export const u64 = (value: bigint): Uint8Array => new Uint8Array(new BigUint64Array([value]).buffer);

/** How a child ended, without what depends on the machine. */
export async function exitOf(pid: number): Promise<{ exitCode: number | null; signal: number | null }> {
  const { exitCode, signal } = await addon.waitExit(pid);
  return { exitCode, signal };
}
