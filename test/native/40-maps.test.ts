// Values on their way into and out of the kernel.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addon, type ProbeObject } from '../../src/kernel/addon.ts';
import { buildBpfObject, buildProgram, METHODS, probeObject, readCounts, Target, u64 } from './support.ts';

const objectPath = buildBpfObject('count.bpf.c');
const targetPath = buildProgram('target.c');

const bytes = (array: Uint32Array | BigUint64Array): Uint8Array => new Uint8Array(array.buffer);

async function loaded(options: Parameters<typeof probeObject>[1] = {}): Promise<ProbeObject> {
  const object = probeObject(objectPath, options);
  await object.load();
  return object;
}

for (const attachMethod of METHODS) {
  test(`${attachMethod}: read-only data and map contents reach the program`, async () => {
    await using target = new Target(targetPath);
    const readOnlyData = { step: u64(3n), marks: Uint8Array.of(0x11, 0x22, 0x33) };
    const object = await loaded({ attachMethod, readOnlyData });
    object.updateMap('weights', bytes(BigUint64Array.of(1n, 2n)), bytes(Uint32Array.of(10, 1000)), 2);
    object.updateMap('levels', bytes(Uint32Array.of(1)), u64(7n), 1);
    await object.attach(target.sites());
    await target.call('one', 5);
    await target.call('two', 2);
    assert.deepEqual([...(await readCounts(object))].sort(), [
      [1n, { hits: 15, weighted: 50, marked: 0x332211 }],
      [2n, { hits: 6, weighted: 2000, marked: 0x332211 }],
    ]);
    const { keys, values, count, cpus } = await object.readPerCpuMap('totals');
    assert.deepEqual([...new Uint32Array(keys.buffer, keys.byteOffset, count)], [0, 1, 2]);
    assert.equal(values.length, count * cpus * 8);
    const words = Array.from({ length: count * cpus }, (_, i) => values.readBigUInt64LE(i * 8));
    const total = (index: number): bigint =>
      words.slice(index * cpus, (index + 1) * cpus).reduce((sum, word) => sum + word);
    assert.deepEqual([total(0), total(1), total(2)], [0n, 49n, 0n]);
    object.close();
  });
}

test('a map has the size that was asked for', async () => {
  const object = await loaded({ mapSizes: { weights: 3 } });
  const fill = (count: number): void => {
    const keys = BigUint64Array.from({ length: count }, (_, i) => BigInt(i));
    object.updateMap('weights', bytes(keys), new Uint8Array(count * 4), count);
  };
  fill(3);
  assert.throws(() => fill(4), {
    code: 'E2BIG',
    message: "cannot update the BPF map 'weights': it has room for only 3 entries",
  });
  object.close();
});

test('a large map is read whole', async () => {
  const object = await loaded({ mapSizes: { totals: 100_000 } });
  const { keys, count, cpus, values } = await object.readPerCpuMap('totals');
  assert.equal(count, 100_000);
  assert.equal(values.length, count * cpus * 8);
  assert.ok(keys.every((_, i) => i % 4 !== 0 || keys.readUInt32LE(i) === i / 4));
  object.close();
});

test('an empty map gives nothing', async () => {
  const object = await loaded();
  assert.equal((await readCounts(object)).size, 0);
  object.updateMap('weights', new Uint8Array(0), new Uint8Array(0), 0);
  object.close();
});

test('wrong maps and sizes are refused', async () => {
  const object = await loaded();
  const key = u64(1n);
  const four = new Uint8Array(4);
  assert.throws(() => object.updateMap('heights', key, four, 1), {
    code: 'ENOENT',
    message: "cannot update the BPF map 'heights': the BPF object has no such map",
  });
  assert.throws(() => object.updateMap('weights', key, key, 1), {
    code: 'EINVAL',
    message: "cannot update the BPF map 'weights': 1 values of 4 bytes make 4 bytes, not 8",
  });
  assert.throws(() => object.updateMap('weights', key, four, 2), {
    code: 'EINVAL',
    message: "cannot update the BPF map 'weights': 2 keys of 8 bytes make 16 bytes, not 8",
  });
  assert.throws(() => object.updateMap('site_counts', key, new Uint8Array(12), 1), {
    code: 'EINVAL',
    message: "cannot update the BPF map 'site_counts': it is neither a hash nor an array map",
  });
  await assert.rejects(object.readPerCpuMap('weights'), {
    code: 'EINVAL',
    message: "cannot read the BPF map 'weights': it is not a per-CPU map",
  });
  await assert.rejects(object.readPerCpuMap('heights'), {
    code: 'ENOENT',
    message: "cannot read the BPF map 'heights': the BPF object has no such map",
  });
  object.close();
});

test('this kernel has what the tests need', () => {
  assert.deepEqual(addon.features(), { uprobeMulti: true, sleepableUprobes: true, bpf: true, bpfError: '' });
});
