// systemd takes the unit, and finds little that it leaves open.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CAPABILITIES } from '../../src/base/capabilities.ts';
import { ROOT } from '../../tools/package/product.ts';
import { checkInstalled, command, startService } from './observed.ts';
import { packed } from './packed.ts';
import { debianCommand } from './system.ts';

/** systemd calls 0 safe and 10 unsafe. */
const MOST_EXPOSED = 3;

const folder = mkdtempSync(join(tmpdir(), 'mapscope-unit-'));
after(() => rmSync(folder, { recursive: true }));

const unit = readFileSync(join(ROOT, 'otel-config/systemd/mapscope.service'), 'utf8');

async function analyze(args: readonly string[]) {
  const analyzer = await debianCommand('systemd-analyze', 'systemd');
  return spawnSync(analyzer, [...args], { encoding: 'utf8', env: { ...process.env, SYSTEMD_PAGER: '' } });
}

test('systemd finds nothing wrong with the unit', async () => {
  const file = join(folder, 'mapscope.service');
  // It looks for the executable, which no test puts there.
  writeFileSync(file, unit.replace('/usr/local/bin/mapscope', '/bin/true'));
  const { status, stdout, stderr } = await analyze(['verify', '--man=no', file]);
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

test(`systemd rates its exposure at ${MOST_EXPOSED} or less`, async () => {
  const file = join(folder, 'mapscope.service');
  writeFileSync(file, unit);
  const { stdout, stderr } = await analyze(['security', '--offline=true', file]);
  const exposure = /Overall exposure level for mapscope\.service: (\d+\.\d)/.exec(stdout)?.[1];
  assert.ok(Number(exposure) <= MOST_EXPOSED, stdout + stderr);
});

test('with the rights that the unit gives a user of its own it observes services of others', async (context) => {
  const rights = CAPABILITIES.map(({ name }) => `+${name.toLowerCase()}`).join();
  assert.ok(
    unit.includes(`AmbientCapabilities=${CAPABILITIES.map(({ name }) => `CAP_${name}`).join(' ')}\n`),
  );
  const installed = join(folder, 'mapscope');
  cpSync((await packed()).oneFile, installed);
  chmodSync(folder, 0o755);
  const mapscope = command([
    ...(['/usr/bin/setpriv', '--reuid=64512', '--regid=64512', '--clear-groups'] as const),
    ...['--inh-caps', `-all,${rights}`, '--ambient-caps', `-all,${rights}`],
    ...['--bounding-set', `-all,${rights}`, '--no-new-privs', installed],
  ]);
  await checkInstalled(context, mapscope, (await startService(context)).pid);
});
