/* The smoke test of every way to install mapscope: it finds what it needs, and observes a real service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../../src/report/summary/schema.ts';
import { ROOT } from '../../tools/package/product.ts';
import { startCollector } from '../collector/collector.ts';
import { counted } from '../collector/otlp-json.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { type Owner, Service } from '../support/service.ts';

export interface Outcome {
  /** -1 when it was ended by a signal, or took longer than it may. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs mapscope, in whatever way it is installed, to its end. */
export type Mapscope = (args: readonly string[]) => Promise<Outcome>;

const LIMIT_MS = 120_000;

/** mapscope as a command with its first arguments, with nothing of this process's environment but what is given. */
export function command(
  [file, ...first]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Mapscope {
  return (args) =>
    new Promise((resolve) => {
      const options = { env, cwd: '/', timeout: LIMIT_MS, maxBuffer: 1 << 28 };
      execFile(file, [...first, ...args], options, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ status, stdout, stderr });
      });
    });
}

/** A Go service under even load, as whatever user and in whatever namespaces `under` starts it. */
export async function startService(
  owner: Owner,
  under: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  // Where every user may execute it.
  const folder = await mkdtemp(join(tmpdir(), 'mapscope-service-'));
  owner.after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const binary = join(folder, 'steady');
  await cp(await buildGo({ dir: join(ROOT, 'test/services/steady'), version: 'local' }), binary);
  const [file = '', ...args] = [...under, binary, '-rate', '5000'];
  const service = Service.start(owner, 'steady', [file, ...args], env);
  await service.until(() => (service.output.includes('ready') ? true : undefined));
  return service;
}

/**
 * `doctor` finds nothing missing, and an observation sees the service's lookups, with the cost of a hit measured, and sends them to a
 * Collector.
 *
 * @param pid the service's, as mapscope sees it
 * @returns attributes of the resource that the Collector was told of
 */
export async function checkInstalled(
  owner: Owner,
  mapscope: Mapscope,
  pid: number,
): Promise<Record<string, unknown>> {
  const found = await mapscope(['doctor', '--pid', String(pid)]);
  assert.equal(found.status, 0, found.stdout + found.stderr);
  assert.match(found.stdout, /^ {2}ok +programs +this kernel's verifier takes them$/m);
  assert.match(found.stdout, /^ {2}ok +probe sites +\d+ in \d+ lookup functions/m);
  assert.ok(!found.stdout.includes('MISSING'), found.stdout);
  const collector = await startCollector(owner);
  const seen = await mapscope([
    ...['attach', '--pid', String(pid), '--mode', 'all', '--duration', '2s', '--format', 'json'],
    ...['--otlp-endpoint', collector.endpoint],
  ]);
  assert.equal(seen.status, 0, seen.stderr);
  const { observed, overhead, callSites }: Summary = JSON.parse(seen.stdout);
  assert.ok(observed.lookups > 0, seen.stdout);
  assert.equal(observed.lookups, observed.hits + observed.misses);
  assert.equal(callSites[0]?.type, 'map[int64]int64');
  assert.equal(overhead.measured, true);
  const exports = await collector.until((all) => counted(all.at(-1), 'gomap.lookups') === observed.lookups);
  return exports.at(-1)?.resource ?? {};
}
