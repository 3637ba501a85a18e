// Attaching and detaching: which calls are counted, and that none is missed.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { addon, type ProbeObjectOptions } from '../../src/kernel/addon.ts';
import {
  buildBpfObject,
  buildProgram,
  exitOf,
  METHODS,
  probeObject,
  readHits,
  sitesOf,
  Target,
} from './support.ts';

const objectPath = buildBpfObject('count.bpf.c');
const targetPath = buildProgram('target.c');

/** The last of three sites is not in the file. */
async function failToAttach({
  attachMethod,
  ...more
}: Pick<ProbeObjectOptions, 'attachMethod'> & { busy?: number }): Promise<void> {
  await using target = new Target(targetPath);
  const object = probeObject(objectPath, { attachMethod });
  await object.load();
  const sites = target.sites();
  const bad = { ...sites, ...more, offsets: [...sites.offsets, 1n << 40n], cookies: [1n, 2n, 3n] };
  await assert.rejects(object.attach(bad), {
    code: 'EINVAL',
    message: /^cannot attach to .*: Invalid argument$/,
  });
  await target.call('one', 10);
  assert.deepEqual(await readHits(object), {});
  await object.attach(sites);
  await target.call('one', 10);
  assert.deepEqual(await readHits(object), { 1: 10 });
  object.close();
}

suite('which calls are counted', { concurrency: 16 }, () => {
  for (const attachMethod of METHODS) {
    for (const sleepable of attachMethod === 'uprobe_multi' ? [false, true] : [false]) {
      test(`${attachMethod}${sleepable ? ', sleepable' : ''}: counts each call of each site exactly`, async () => {
        await using target = new Target(targetPath);
        const object = probeObject(objectPath, { attachMethod, sleepable });
        await object.load();
        await object.attach(target.sites());
        await target.call('one', 1000);
        await target.call('two', 333);
        await object.detach();
        assert.deepEqual(await readHits(object), { 1: 1000, 2: 333 });
        object.close();
      });
    }

    test(`${attachMethod}: counts the calls of threads started after the attach`, async () => {
      await using target = new Target(targetPath);
      const object = probeObject(objectPath, { attachMethod });
      await object.load();
      await object.attach(target.sites());
      await target.call('thread', 500);
      assert.deepEqual(await readHits(object), { 1: 500 });
      object.close();
    });

    test(`${attachMethod}: does not count another process of the same file`, async () => {
      await using observed = new Target(targetPath);
      await using other = new Target(targetPath);
      const object = probeObject(objectPath, { attachMethod });
      await object.load();
      await object.attach(observed.sites());
      await Promise.all([observed.call('one', 200), other.call('one', 5000), other.call('two', 5000)]);
      assert.deepEqual(await readHits(object), { 1: 200 });
      object.close();
    });

    test(`${attachMethod}: counts nothing between detach and the next attach`, async () => {
      await using target = new Target(targetPath);
      const object = probeObject(objectPath, { attachMethod });
      await object.load();
      for (let window = 1; window <= 2; window++) {
        await object.attach(target.sites());
        await target.call('one', 10);
        await object.detach();
        await target.call('one', 10_000);
        assert.deepEqual(await readHits(object), { 1: 10 * window });
      }
      await object.detach(); // a second time, which is harmless
      object.close();
    });

    test(`${attachMethod}: close() detaches`, async () => {
      await using target = new Target(targetPath);
      const closed = probeObject(objectPath, { attachMethod });
      const open = probeObject(objectPath, { attachMethod });
      await Promise.all([closed.load(), open.load()]);
      await Promise.all([closed.attach(target.sites()), open.attach(target.sites())]);
      await target.call('one', 100);
      assert.deepEqual(await readHits(closed), { 1: 100 });
      closed.close();
      closed.close();
      await target.call('one', 100);
      assert.deepEqual(await readHits(open), { 1: 200 }, 'the other object goes on');
      open.close();
    });

    test(`${attachMethod}: sees a program from its first instruction on`, async () => {
      const object = probeObject(objectPath, { attachMethod });
      await object.load();
      const args = [targetPath, 'one', '12', 'thread', '30', 'two', '5'];
      const pid = addon.spawnStopped({ file: targetPath, args, env: [] });
      await object.attach({ ...sitesOf(targetPath), path: `/proc/${pid}/exe`, pid });
      addon.resume(pid);
      assert.deepEqual(await exitOf(pid), { exitCode: 7, signal: null });
      assert.deepEqual(await readHits(object), { 1: 42, 2: 5 });
      object.close();
    });

    test(`${attachMethod}: a failed attach leaves nothing attached`, () => failToAttach({ attachMethod }));
  }
});

for (const busy of [0, 1, 2, 3]) {
  test(`${busy} of two sites are busy: each call of each is counted, and none after the detach`, async () => {
    await using target = new Target(targetPath);
    const object = probeObject(objectPath, { attachMethod: 'uprobe_multi' });
    await object.load();
    for (let window = 1; window <= 3; window++) {
      await object.attach({ ...target.sites(), busy });
      await target.call('one', 100);
      await target.call('two', 33);
      await object.detach();
      await target.call('one', 1000);
      await target.call('two', 1000);
      assert.deepEqual(await readHits(object), { 1: 100 * window, 2: 33 * window });
    }
    object.close();
  });
}

test('when busy sites cannot be attached, nothing is', () =>
  failToAttach({ attachMethod: 'uprobe_multi', busy: 1 }));
