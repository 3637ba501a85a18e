import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Summary } from '../../src/report/summary/schema.ts';
import { Executable } from '../../src/target/executable.ts';
import { executableName, isMappingOf } from '../../src/target/process.ts';
import { type CommandOptions, mapscope, summaryOf } from '../support/command.ts';
import { buildExecutes, Executes } from './executes.ts';

const LONG = { timeout: 120_000 };

/** A running service whose executable is called so. */
async function called(t: TestContext, name: string): Promise<{ path: string; service: Executes }> {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope names '));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  copyFileSync(await buildExecutes(), path);
  return { path, service: await Executes.start(t, path) };
}

const observe = (pid: number, ...more: readonly string[]): Promise<Summary> =>
  summaryOf(['attach', '--pid', `${pid}`, '--mode', 'all', '--duration', '1s', '--format', 'json', ...more]);

for (const name of ['a shop', 'a\nshop', 'shop (deleted)', 'a\\012shop', '$(shop) "\'%s:0+']) {
  test(`an executable called ${JSON.stringify(name)}`, LONG, async (t) => {
    const { path, service } = await called(t, name);
    const { pid } = service;
    for (const method of ['uprobe_multi', 'perf_event']) {
      const { target, callSites } = await observe(pid, '--attach-method', method);
      assert.equal(target.exe, path);
      assert.ok(callSites.length > 0, method);
    }
    const verified = await mapscope(['verify', '--pid', `${pid}`, '--lookups', '10']);
    assert.deepEqual([verified.stderr, verified.status], ['', 0]);
    const doctor = await mapscope(['doctor', '--pid', `${pid}`]);
    assert.equal(doctor.status, 0, doctor.stdout);
    assert.equal(await service.wrongLookups(), 0);
  });
}

test(
  'what an executable was called: replaced, deleted, and with a name that only looks so',
  LONG,
  async (t) => {
    const { path, service } = await called(t, 'shop');
    const names = () => [executableName(service.pid), Executable.ofProcess(service.pid).location];
    const held = Executable.ofProcess(service.pid);
    assert.deepEqual(names(), [path, path]);
    // Another file now has the name that the kernel gives the deleted one.
    copyFileSync(path, `${path} (deleted)`);
    copyFileSync(path, `${path}.new`);
    renameSync(`${path}.new`, path);
    assert.deepEqual(names(), [path, path]);
    assert.equal((await observe(service.pid)).target.exe, path);
    rmSync(path);
    assert.deepEqual(names(), [path, path]);
    assert.equal(held.location, path);
  },
);

test('which mappings are of a file', () => {
  const is = (path: string, name: string) =>
    isMappingOf({ path, start: 0, end: 0, executable: true, fileOffset: 0, inode: 1 }, name);
  assert.ok(is('/a\\012shop', '/a\nshop'));
  assert.ok(is('/shop (deleted)', '/shop'));
  assert.ok(is('/shop (deleted) (deleted)', '/shop (deleted)'));
  assert.ok(!is('/shop', '/shop (deleted)'));
});

/** Without the kernel's list of processors, as in some sandboxes. */
const WITHOUT_CPUS: CommandOptions = {
  under: [
    ...['unshare', '--mount', 'sh', '-c'],
    ...['mount -t tmpfs tmpfs /sys/devices/system/cpu && exec "$@"', 'sh'],
  ],
};

test('without the list of processors', LONG, async (t) => {
  const { service } = await called(t, 'shop');
  const { pid } = service;
  const sentence = /^mapscope: .*\/sys\/devices\/system\/cpu\/possible.*\n$/;
  for (const command of ['attach', 'verify']) {
    const args = [command, '--pid', `${pid}`, '--duration', '1s'];
    const { status, stderr } = await mapscope(args, WITHOUT_CPUS);
    assert.match(stderr, sentence);
    assert.equal(status, 3);
  }
  const { status, stdout } = await mapscope(['doctor', '--pid', `${pid}`], WITHOUT_CPUS);
  assert.match(stdout, /MISSING .*\/sys\/devices\/system\/cpu\/possible/);
  assert.equal(status, 3);
});
