// Everything that can be wrong with a BPF object or with the order of calls is one clear sentence.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { addon, type ProbeObjectOptions } from '../../src/kernel/addon.ts';
import { buildBpfObject, buildProgram, probeObject, sitesOf, u64 } from './support.ts';

const objectPath = buildBpfObject('count.bpf.c');
const refusedPath = buildBpfObject('refused.bpf.c');
const targetPath = buildProgram('target.c');
const textPath = join(dirname(objectPath), 'text.bpf.o');
writeFileSync(textPath, 'no object at all');

const loadFailures: readonly {
  what: string;
  path?: string;
  options?: Partial<ProbeObjectOptions>;
  code: string;
  message: string | RegExp;
}[] = [
  {
    what: 'a missing file',
    path: '/nowhere/lookup.bpf.o',
    code: 'ENOENT',
    message: 'cannot open the BPF object /nowhere/lookup.bpf.o: No such file or directory',
  },
  {
    what: 'a file that is no object',
    path: textPath,
    code: 'ENOEXEC',
    message: /^cannot open the BPF object .*text\.bpf\.o: elf: .* not a proper ELF object$/,
  },
  {
    what: 'an object for another machine',
    path: targetPath,
    code: 'ENOEXEC',
    message: /^cannot open the BPF object .*target: elf: .* not a valid eBPF object file$/,
  },
  {
    what: 'an unknown read-only variable',
    options: { readOnlyData: { stride: u64(1n) } },
    code: 'ENOENT',
    message: `cannot set 'stride' in the BPF object ${objectPath}: it has no read-only variable of that name`,
  },
  {
    what: 'a read-only value of the wrong size',
    options: { readOnlyData: { step: new Uint8Array(4) } },
    code: 'EINVAL',
    message: `cannot set 'step' in the BPF object ${objectPath}: the variable has 8 bytes, the value 4`,
  },
  {
    what: 'an unknown map',
    options: { mapSizes: { heights: 3 } },
    code: 'ENOENT',
    message: `cannot set the size of map 'heights': ${objectPath} has no such map`,
  },
  {
    what: 'a map size that the kernel refuses',
    options: { mapSizes: { weights: 0 } },
    code: 'EINVAL',
    message: `cannot load the BPF object ${objectPath}: map 'weights': failed to create: Invalid argument(-22)`,
  },
  {
    what: 'a program that the verifier refuses',
    path: refusedPath,
    code: 'EACCES',
    message: `the kernel's verifier refused the BPF program 'read_nowhere' of ${refusedPath}: R1 invalid mem access 'scalar' (Permission denied)`,
  },
];

for (const { what, path = objectPath, options, code, message } of loadFailures) {
  test(`load() rejects ${what}`, async () => {
    const object = probeObject(path, options);
    await assert.rejects(object.load(), { name: 'Error', code, message });
    assert.equal(object.verifierLog() !== '', path === refusedPath);
    object.close();
  });
}

test('the verifier log has every step, and stays after close()', async () => {
  const object = probeObject(refusedPath);
  await assert.rejects(object.load());
  await assert.rejects(object.load(), 'a second try reaches the verifier again');
  object.close();
  assert.match(object.verifierLog(), /^0: R1=ctx.*R1 invalid mem access 'scalar'.*processed \d+ insns/ms);
});

test('methods say when they are called too early, twice or too late', async () => {
  const sites = { ...sitesOf(targetPath), pid: process.pid };
  const object = probeObject(objectPath);
  const early = [object.attach(sites), object.readPerCpuMap('totals')];
  for (const promise of early) {
    await assert.rejects(promise, { code: 'EBADF', message: /^cannot .*: the BPF object is not loaded$/ });
  }
  const update = () => object.updateMap('weights', new Uint8Array(0), new Uint8Array(0), 0);
  assert.throws(update, { code: 'EBADF', message: /the BPF object is not loaded$/ });
  await object.detach();

  await object.load();
  await assert.rejects(object.load(), { code: 'EBUSY', message: /it is loaded already$/ });
  await object.attach(sites);
  await assert.rejects(object.attach(sites), {
    code: 'EBUSY',
    message: /is attached already, detach it first$/,
  });

  object.close();
  const late = [object.load(), object.attach(sites), object.readPerCpuMap('totals')];
  for (const promise of late) {
    await assert.rejects(promise, { code: 'EBADF', message: /closed$/ });
  }
  assert.throws(() => object.updateMap('weights', u64(1n), new Uint8Array(4), 1), { code: 'EBADF' });
  await object.detach();
});

test('operations of one object run in the order of the calls', async () => {
  const object = probeObject(objectPath);
  const sites = { ...sitesOf(targetPath), pid: process.pid };
  const order: string[] = [];
  const note = (name: string) => () => order.push(name);
  await Promise.all([
    object.load().then(note('load')),
    object.attach(sites).then(note('attach')),
    object.readPerCpuMap('totals').then(note('read')),
    object.detach().then(note('detach')),
    object.attach(sites).then(note('attach again')),
  ]);
  assert.deepEqual(order, ['load', 'attach', 'read', 'detach', 'attach again']);
  object.close();
});

test('close() lets the running operation end and refuses those that wait', async () => {
  const object = probeObject(objectPath);
  const loading = object.load();
  const waiting = object.attach({ ...sitesOf(targetPath), pid: process.pid });
  const refusal = { code: 'ECANCELED', message: 'the BPF object was closed before its turn came' };
  const refused = assert.rejects(waiting, refusal);
  object.close();
  await Promise.all([loading, refused]);
  await assert.rejects(object.load(), { code: 'EBADF' });
});

test('attaching to a process that is not there fails', async () => {
  const object = probeObject(objectPath);
  await object.load();
  const missing = { ...sitesOf(targetPath), pid: 2 ** 31 - 1 };
  await assert.rejects(object.attach(missing), {
    code: 'ESRCH',
    message: `cannot attach to 2 instructions of ${targetPath} in process 2147483647: No such process`,
  });
  object.close();
});

test('arguments of the wrong type are named', async () => {
  const wrong = (options: object): unknown => new addon.ProbeObject(options as ProbeObjectOptions);
  const good = { objectPath, attachMethod: 'perf_event', sleepable: false, readOnlyData: {}, mapSizes: {} };
  const invalid = (message: string) => ({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
  assert.throws(() => wrong({}), invalid('ProbeObject: options.objectPath must be a string'));
  assert.throws(
    () => wrong({ ...good, attachMethod: 'kprobe' }),
    invalid("ProbeObject: options.attachMethod must be 'uprobe_multi' or 'perf_event'"),
  );
  assert.throws(
    () => wrong({ ...good, readOnlyData: { step: 1n } }),
    invalid('ProbeObject: options.readOnlyData.step must be a Uint8Array'),
  );
  assert.throws(
    () => wrong({ ...good, mapSizes: { weights: -1 } }),
    invalid('ProbeObject: options.mapSizes.weights must be an unsigned 32-bit integer'),
  );
  const object = probeObject(objectPath);
  await assert.rejects(
    object.attach({ path: targetPath, pid: 0, offsets: [1n], cookies: [1n] }),
    invalid('attach: options.pid must be a process id'),
  );
  await assert.rejects(
    object.attach({ path: targetPath, pid: 1, offsets: [1n, -1n], cookies: [1n, 1n] }),
    invalid('attach: options.offsets[1] must be an unsigned 64-bit bigint'),
  );
  await assert.rejects(
    object.attach({ path: targetPath, pid: 1, offsets: [1n], cookies: [] }),
    invalid('attach: options.cookies must be as many as options.offsets, and at least one'),
  );
});
