// ps and explain: what would be done with a process, and why, without attaching anything.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processFacts } from '../../src/target/finding/process-facts.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { type Owner, Service } from '../support/service.ts';
import { hasBreakpoints } from '../target/attached.ts';

const LIMIT = { timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), 'mapscope-explain-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const NAME = `explained-${process.pid}`;
const SERVICE = join(folder, NAME);
before(async () => {
  const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
  copyFileSync(await buildGo({ dir, version: 'local' }), SERVICE);
});

async function start(owner: Owner): Promise<Service> {
  const service = Service.start(owner, 'the service', [SERVICE, '-rate', '1000', '-goroutines', '2']);
  await service.until(() => (service.output.includes('ready') ? true : undefined));
  return service;
}

async function json(args: readonly string[]) {
  const { status, stdout, stderr } = await mapscope([...args, '--format', 'json']);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const config = (name: string, yaml: string): string => {
  const path = join(folder, name);
  writeFileSync(path, yaml);
  return path;
};

interface Listed {
  readonly pid: number;
  readonly exe: string;
  readonly goVersion: string | null;
  readonly module: string | null;
  readonly ports: readonly number[];
  readonly containerId: string | null;
  readonly decision: Readonly<Record<string, unknown>>;
}

test('ps lists Go programs, and what the rules make of each', LIMIT, async (t) => {
  const { pid } = await start(t);
  const rules = config('ps.yaml', `targets:\n  - exclude: { exe: other }\n  - include: { exe: ${NAME} }\n`);
  const { schema, processes }: { schema: string; processes: Listed[] } = await json([
    'ps',
    '--config',
    rules,
  ]);
  assert.equal(schema, 'mapscope/ps/v1');
  const { build } = processFacts(pid);
  assert.deepEqual(
    processes.filter((listed) => listed.pid === pid),
    [
      {
        pid,
        exe: SERVICE,
        goVersion: build?.version,
        module: 'steady',
        ports: [],
        containerId: processFacts(pid).container ?? null,
        decision: { observe: true, rule: 2, exclusion: null, reason: `rule 2 (include exe=${NAME})` },
      },
    ],
  );
  assert.equal(processes.filter(({ decision }) => decision.observe).length, 1);
});

test('ps without rules would observe every Go program; a table says so', LIMIT, async (t) => {
  const { pid } = await start(t);
  const { status, stdout, stderr } = await mapscope(['ps']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ *pid +go +ports +action +executable +why\n/);
  assert.match(stdout, new RegExp(`^ *${pid} +go1\\S+.* observe +${SERVICE} +rule 1 \\(include go\\)$`, 'm'));
});

test('explain says rule, build, sites and cost, and attaches nothing', LIMIT, async (t) => {
  const { pid } = await start(t);
  const explained = await json(['explain', String(pid)]);
  assert.equal(explained.schema, 'mapscope/explain/v1');
  assert.deepEqual([explained.pid, explained.exe, explained.problem], [pid, SERVICE, null]);
  assert.deepEqual([explained.decision.observe, explained.decision.rule], [true, 1]);
  const [image, ...others] = explained.images;
  assert.deepEqual(others, []);
  assert.equal(image.file, SERVICE);
  assert.match(image.goVersion, /^go1\./);
  assert.equal(image.settings.GOARCH, 'amd64');
  const probed = image.functions.filter(({ outcome }: { outcome: string }) => outcome === 'probed');
  assert.ok(probed.length > 0);
  for (const { sites } of probed) {
    assert.match(sites[0].address, /^0x[0-9a-f]+$/);
    assert.ok(sites[0].instruction.length > 0);
  }
  const { targetCpus, budget, most, trapSeconds } = explained.cost;
  assert.equal(budget, 0.01);
  assert.ok(targetCpus > 0 && most > 0 && most < 0.1, `${targetCpus} ${most}`);
  assert.ok(trapSeconds > 1e-8 && trapSeconds < 1e-4, `${trapSeconds}`);
  assert.equal(hasBreakpoints(pid), false);
  const { stdout } = await mapscope(['explain', String(pid)]);
  for (const line of ['process', 'rules', 'image', 'build', 'sites', 'cost']) {
    assert.match(stdout, new RegExp(`^${line}\\b`, 'm'));
  }
});

test('explain says why a process is left alone, and why it cannot be observed', LIMIT, async (t) => {
  const sleep = Service.start(t, 'sleep', ['/bin/sleep', '1000']);
  const rules = config('explain.yaml', 'targets:\n  - exclude: { exe: sleep }\n  - include: { exe: "*" }\n');
  const explained = await json(['explain', String(sleep.pid), '--config', rules]);
  assert.deepEqual(explained.decision, {
    observe: false,
    rule: 1,
    exclusion: null,
    reason: 'rule 1 (exclude exe=sleep)',
  });
  assert.match(explained.problem, /is not a Go program|no Go/i);
  assert.deepEqual([explained.images, explained.cost], [[], null]);
});

test('explain of a process that there is not', LIMIT, async () => {
  const { status, stderr } = await mapscope(['explain', '4194305']);
  assert.equal(status, 3, stderr);
  assert.match(stderr, /There is no process 4194305/);
});
