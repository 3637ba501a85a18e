// Values on their way into and out of the kernel.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { addon, type ProbeObject } from '../../src/kernel/addon.ts';
import { mountBpfFileSystem } from '../support/bpffs.ts';
import { REAL_TIME } from '../support/real-time.ts';
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

test('a map of another object is shared, also when that one is closed', async () => {
  await using target = new Target(targetPath);
  const owner = await loaded();
  const object = await loaded({ sharedMaps: { weights: owner }, readOnlyData: { step: u64(1n) } });
  owner.updateMap('weights', bytes(BigUint64Array.of(1n)), bytes(Uint32Array.of(10)), 1);
  owner.close();
  await object.attach(target.sites());
  await target.call('one', 5);
  assert.deepEqual((await readCounts(object)).get(1n)?.weighted, 50);
  object.close();
});

test('a map that cannot be shared is refused with the reason', async () => {
  const owner = await loaded();
  const wrongOwner = () => loaded({ sharedMaps: { weights: probeObject(objectPath) } });
  await assert.rejects(wrongOwner, { code: 'ERR_INVALID_ARG_TYPE', message: /sharedMaps.weights must be a/ });
  await assert.rejects(loaded({ sharedMaps: { nothing: owner } }), { message: /with a map of that name/ });
  await assert.rejects(loaded({ sharedMaps: { weights: {} as ProbeObject } }), {
    message: /must be a ProbeObject that is loaded/,
  });
  owner.close();
});

test('a pinned map is used; one of another shape, or none, is refused', async (context) => {
  const folder = mountBpfFileSystem(context);
  const pin = (name: string, keySize: number) => {
    rmSync(`${folder}/${name}`, { force: true });
    const shape = ['type', 'hash', 'key', `${keySize}`, 'value', '4', 'entries', '8', 'name', name];
    execFileSync('bpftool', ['map', 'create', `${folder}/${name}`, ...shape]);
  };
  pin('weights', 8);
  pin('other', 4);
  const object = await loaded({ pinnedMaps: { weights: `${folder}/weights` } });
  object.updateMap('weights', bytes(BigUint64Array.of(9n)), bytes(Uint32Array.of(1)), 1);
  const dump = execFileSync('bpftool', ['-j', 'map', 'dump', 'pinned', `${folder}/weights`], {
    encoding: 'utf8',
  });
  assert.equal(JSON.parse(dump).length, 1);
  object.close();
  await assert.rejects(loaded({ pinnedMaps: { weights: `${folder}/other` } }), {
    code: 'EINVAL',
    message: /cannot share the BPF map 'weights': the existing map is of another type/,
  });
  await assert.rejects(loaded({ pinnedMaps: { weights: `${folder}/none` } }), {
    code: 'ENOENT',
    message: /cannot open the pinned BPF map/,
  });
});

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

test('draining a map gives each element once', async () => {
  const object = await loaded({ mapSizes: { weights: 50_000 } });
  const fill = (first: number, count: number): void => {
    const keys = BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));
    const values = Uint32Array.from({ length: count }, (_, i) => 3 * (first + i));
    object.updateMap('weights', bytes(keys), bytes(values), count);
  };
  const drain = async (): Promise<number[]> => {
    const { keys, values, count } = await object.drainMap('weights');
    assert.deepEqual([keys.length, values.length], [8 * count, 4 * count]);
    const found = Array.from({ length: count }, (_, i) => Number(keys.readBigUInt64LE(8 * i)));
    found.forEach((key, i) => {
      assert.equal(values.readUInt32LE(4 * i), 3 * key);
    });
    return found.sort((a, b) => a - b);
  };
  fill(0, 50_000);
  assert.deepEqual(
    await drain(),
    Array.from({ length: 50_000 }, (_, i) => i),
  );
  assert.deepEqual(await drain(), []);
  fill(7, 2);
  assert.deepEqual(await drain(), [7, 8]);
  object.close();
});

test('reading an array that all CPUs share gives its first elements', async () => {
  const object = await loaded({ mapSizes: { levels: 30_000 } });
  const indices = Uint32Array.from({ length: 30_000 }, (_, i) => i);
  object.updateMap(
    'levels',
    bytes(indices),
    bytes(BigUint64Array.from(indices, (i) => BigInt(7 * i))),
    30_000,
  );
  for (const [most, expected] of [
    [undefined, 30_000],
    [40_000, 30_000],
    [20_001, 20_001],
    [1, 1],
  ] as const) {
    const { keys, values, count } = await object.readSharedMap('levels', most);
    assert.deepEqual([count, keys.length, values.length], [expected, 4 * expected, 8 * expected]);
    for (let i = 0; i < expected; i++) {
      assert.equal(values.readBigUInt64LE(8 * i), BigInt(7 * i));
    }
  }
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
  await assert.rejects(object.readSharedMap('totals'), {
    code: 'EINVAL',
    message: "cannot read the BPF map 'totals': it is neither a hash nor an array map",
  });
  await assert.rejects(object.drainMap('levels'), {
    code: 'EINVAL',
    message: "cannot drain the BPF map 'levels': it is not a hash map",
  });
  await assert.rejects(object.drainMap('heights'), {
    code: 'ENOENT',
    message: "cannot drain the BPF map 'heights': the BPF object has no such map",
  });
  await assert.rejects(object.readPerCpuMap('heights'), {
    code: 'ENOENT',
    message: "cannot read the BPF map 'heights': the BPF object has no such map",
  });
  object.close();
});

test('this kernel has what the tests need', () => {
  assert.deepEqual(addon.features(), {
    uprobeMulti: true,
    sleepableUprobes: true,
    realTime: REAL_TIME,
    bpf: true,
    bpfError: '',
    missingHelpers: [],
  });
});
