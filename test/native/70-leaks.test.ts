// Nothing stays open: not after windows, not after failures, not after objects that were forgotten.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type AttachMethod, addon, type ProbeObject } from '../../src/kernel/addon.ts';
import {
  buildBpfObject,
  buildProgram,
  METHODS,
  openDescriptors,
  probeObject,
  readHits,
  Target,
} from './support.ts';

const objectPath = buildBpfObject('count.bpf.c');
const refusedPath = buildBpfObject('refused.bpf.c');
const targetPath = buildProgram('target.c');

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

async function loaded(attachMethod: AttachMethod): Promise<ProbeObject> {
  const object = probeObject(objectPath, { attachMethod });
  await object.load();
  return object;
}

for (const { attachMethod, objects, cycles } of [
  { attachMethod: 'uprobe_multi', objects: 16, cycles: 13 },
  { attachMethod: 'perf_event', objects: 2, cycles: 2 },
] as const) {
  test(`${attachMethod}: ${objects} x ${cycles} windows leave no descriptor behind`, async () => {
    await using target = new Target(targetPath);
    const before = openDescriptors();
    const all = await Promise.all(Array.from({ length: objects }, () => loaded(attachMethod)));
    const whenLoaded = openDescriptors();
    assert.ok(whenLoaded > before);
    await Promise.all(
      all.map(async (object) => {
        for (let i = 0; i < cycles; i++) {
          await object.attach(target.sites());
          await object.detach();
        }
      }),
    );
    assert.equal(openDescriptors(), whenLoaded);
    await all[0]?.attach(target.sites());
    await target.call('one', 10);
    assert.deepEqual(await readHits(all[0] ?? assert.fail()), { 1: 10 }, 'it still works');
    for (const object of all) {
      object.close();
    }
    assert.equal(openDescriptors(), before);
  });
}

for (const attachMethod of METHODS) {
  test(`${attachMethod}: failures leave no descriptor behind`, async () => {
    await using target = new Target(targetPath);
    const object = await loaded(attachMethod);
    const before = openDescriptors();
    const bad = { ...target.sites(), offsets: [target.sites().offsets[0] ?? 0n, 1n << 40n] };
    for (let i = 0; i < 3; i++) {
      await assert.rejects(object.attach(bad));
    }
    for (let i = 0; i < 20; i++) {
      for (const [path, options] of [
        [refusedPath, {}],
        ['/nowhere', {}],
        [targetPath, {}],
        [objectPath, { mapSizes: { nothing: 1 } }],
        [objectPath, { readOnlyData: { nothing: new Uint8Array(1) } }],
      ] as const) {
        await assert.rejects(probeObject(path, { ...options, attachMethod }).load());
      }
    }
    assert.equal(openDescriptors(), before, 'not even before garbage collection');
    object.close();
  });
}

test('processes leave no descriptor behind', async () => {
  const before = openDescriptors();
  for (let i = 0; i < 30; i++) {
    assert.throws(() => addon.spawnStopped({ file: '/nowhere', args: ['x'], env: [] }));
    assert.throws(() => addon.readMemory(2 ** 31 - 1, 0n, 8));
    await assert.rejects(addon.waitExit(process.pid));
    const pid = addon.spawnStopped({ file: '/bin/true', args: ['true'], env: [] });
    const ended = addon.waitExit(pid);
    addon.readMemory(process.pid, 0n, 0);
    addon.resume(pid);
    await ended;
  }
  addon.features();
  assert.equal(openDescriptors(), before);
});

test('an object that is forgotten is closed', async () => {
  await using target = new Target(targetPath);
  const before = openDescriptors();
  await (async () => {
    const object = await loaded('uprobe_multi');
    await object.attach(target.sites());
  })();
  assert.ok(openDescriptors() > before);
  for (let i = 0; i < 100 && openDescriptors() !== before; i++) {
    collectGarbage();
    await tick();
  }
  assert.equal(openDescriptors(), before);
});

test('an object with work to do is not forgotten', async () => {
  await using target = new Target(targetPath);
  let object: ProbeObject | undefined = probeObject(objectPath);
  const work = [object.load(), object.attach(target.sites()), object.readPerCpuMap('totals')] as const;
  object = undefined;
  collectGarbage();
  await tick();
  collectGarbage();
  await Promise.all(work);
});

test('repeated work does not grow the process', async () => {
  const object = await loaded('uprobe_multi');
  const once = async (): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      await assert.rejects(probeObject('/nowhere').load());
      await object.readPerCpuMap('totals');
      addon.readMemory(process.pid, 0n, 0);
      assert.throws(() => addon.readMemory(process.pid, 16n, 1 << 16));
    }
    collectGarbage();
    await tick();
  };
  for (let i = 0; i < 3; i++) {
    await once();
  }
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 5; i++) {
    await once();
  }
  assert.ok(process.memoryUsage().rss - before < 16 * 1024 * 1024);
  object.close();
});

test('pages of the program file that only the start needed are given back', () => {
  const residentFile = () =>
    Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = residentFile();
  addon.keepMemorySmall();
  const after = residentFile();
  assert.ok(after < 0.6 * before, `${before} kB, then ${after} kB`);
  // What it still needs comes back.
  assert.match(new Intl.NumberFormat('de').format(1234.5), /^1\.234,5$/);
});
