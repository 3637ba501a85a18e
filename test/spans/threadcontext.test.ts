import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import { Observation } from '../../src/observe/observation.ts';
import { findThreadContextMap } from '../../src/target/thread-context.ts';
import { endOf } from '../support/accounts.ts';
import { mountBpfFileSystem } from '../support/bpffs.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';
import { Service } from '../support/service.ts';

const STEADY = join(import.meta.dirname, '../services/steady');

/** Makes OBI's map at a BPF file system of the test's own, as OBI makes it. @returns the file system's path */
function pinMap(context: TestContext, valueBytes: number): string {
  const folder = mountBpfFileSystem(context);
  mkdirSync(join(folder, 'otel'));
  const shape = `type lru_hash key 8 value ${valueBytes} entries 16384 name traces_ctx_v1`;
  bpftool('map', 'create', join(folder, 'otel/traces_ctx_v1'), ...shape.split(' '));
  return folder;
}

const bpftool = (...args: string[]) => execFileSync('bpftool', args, { encoding: 'utf8' });

const hex = (value: bigint, digits: number) => value.toString(16).padStart(digits, '0');
const traceOf = (thread: number) => `0b1${hex(BigInt(thread), 29)}`;
const spanOf = (thread: number) => `0b2${hex(BigInt(thread), 13)}`;
const bytesOf = (text: string) => text.match(/../g) ?? [];

/** Says of each of the process's threads that it works for a span of its own. */
function tellOfThreads(path: string, pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  for (const thread of threads) {
    const key = bytesOf(hex((BigInt(pid) << 32n) | BigInt(thread), 16)).reverse();
    const value = bytesOf(traceOf(thread) + spanOf(thread));
    bpftool('map', 'update', 'pinned', path, 'key', 'hex', ...key, 'value', 'hex', ...value);
  }
  return threads;
}

async function observe(pid: number, threadContextMap: string) {
  const observation = await Observation.start({
    ...opened(pid),
    mode: 'all',
    budget: 1,
    exemplars: { withoutTrace: true },
    threadContextMap,
  });
  const candidates: ExemplarCandidate[] = [];
  for (let cycle = 0; cycle < 20 || candidates.length < 20; cycle++) {
    await observation.snapshot();
    candidates.push(...observation.drainCandidates());
  }
  await endOf(observation);
  return { candidates, warnings: observation.warnings };
}

async function steady(context: TestContext): Promise<Service> {
  const exe = await buildGo({ dir: STEADY, version: 'local' });
  const service = Service.start(context, 'steady', [exe, '-rate', '20000']);
  await service.until(() => (service.output.includes('ready') ? true : undefined));
  return service;
}

test("OBI's map tells the span that the lookup's thread works for", async (context) => {
  const folder = pinMap(context, 24);
  const path = join(folder, 'otel/traces_ctx_v1');
  assert.equal(findThreadContextMap({ OTEL_EBPF_BPF_FS_PATH: folder }), path);
  const service = await steady(context);
  const threads = tellOfThreads(path, service.pid);
  const before = bpftool('-j', 'map', 'dump', 'pinned', path);
  const { candidates, warnings } = await observe(service.pid, path);
  assert.deepEqual(warnings, []);
  const known = candidates.filter((c) => c.traceId !== undefined);
  assert.ok(known.length > 10, `${known.length} of ${candidates.length}`);
  for (const { traceId, spanId } of known) {
    const thread = threads.find((one) => traceOf(one) === traceId);
    assert.ok(thread !== undefined, `${traceId}`);
    assert.equal(spanId, spanOf(thread));
  }
  assert.equal(bpftool('-j', 'map', 'dump', 'pinned', path), before, 'it is only read');
});

test('a map of that name that is not what OBI makes is not used', async (context) => {
  const folder = pinMap(context, 32);
  const service = await steady(context);
  const { candidates, warnings } = await observe(service.pid, join(folder, 'otel/traces_ctx_v1'));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^mapscope does not use OBI's map of spans\. .*of another type/);
  assert.ok(candidates.every(({ traceId }) => traceId === undefined));
});

test('without OBI there is no map', () => {
  assert.equal(findThreadContextMap({ OTEL_EBPF_BPF_FS_PATH: '/nowhere' }), undefined);
});
