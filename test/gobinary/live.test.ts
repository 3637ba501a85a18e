import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { BinaryError, openGoBinary } from '../../src/gobinary/index.ts';
import { build, toolchains } from './build.ts';
import type { Facts } from './facts.ts';

/** Map types made by reflect.MapOf are in no file: they are read from the memory of the running program. */
describe('map types made at run time', () => {
  for (const [minor, ...flags] of [
    [17],
    [18],
    [23],
    [24],
    [26],
    [27],
    [23, '-buildmode=pie'],
    [27, '-buildmode=pie'],
  ] as const) {
    test(`Go 1.${minor} ${flags.join(' ')}`, async () => {
      const path = build({ program: 'facts', toolchain: toolchains.get(minor) ?? '', flags });
      const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
      const [line] = await once(createInterface(child.stdout), 'line');
      const facts: Facts = JSON.parse(line);
      const memory = openSync(`/proc/${child.pid}/mem`, 'r');
      const read = (address: number, length: number): Uint8Array => {
        const bytes = new Uint8Array(length);
        const count = readSync(memory, bytes, 0, length, address);
        return bytes.subarray(0, count);
      };
      try {
        check(path, facts, read);
      } finally {
        closeSync(memory);
        child.stdin.end();
        await once(child, 'close');
      }
    });
  }
});

function check(path: string, facts: Facts, read: (address: number, length: number) => Uint8Array): void {
  const binary = openGoBinary(path);
  const bias = facts.main - (binary.functionsNamed('main.main')[0]?.entry ?? 0);
  const slots = binary.mapImplementation === 'classic' ? 'classic' : 'interleaved';
  const [structKey, arrayKey, knownKey] = facts.made.map((fact) => {
    assert.equal(binary.mapTypeAt(fact.Address), undefined);
    const type = binary.mapTypeAt(fact.Address, read, bias);
    assert.ok(type, fact.Name);
    const expected = fact.Slots[slots];
    assert.deepEqual(
      [type.address + bias, type.keySize, type.keyType + bias, type.elemType + bias],
      [fact.Address, fact.KeySize, fact.KeyAddress, fact.ElemAddress],
    );
    assert.deepEqual(
      [type.keysOffset, type.keyStride, type.elemsOffset, type.elemStride, type.groupSize],
      [
        expected.KeysOffset,
        expected.KeyStride,
        expected.ElemsOffset,
        expected.ElemStride,
        expected.GroupSize,
      ],
    );
    assert.deepEqual(type.keyEquality, { known: true, steps: fact.Steps });
    return type;
  });
  // A name is known where the parts are in the file.
  assert.deepEqual(
    [structKey?.name, arrayKey?.name, knownKey?.name],
    ['map[?]main.plain', 'map[?]main.big', 'map[main.mixed]main.blank'],
  );

  // Types in the file are found at their live addresses as well, without reading the process.
  const refuse = (): never => {
    throw new Error('not needed');
  };
  for (const fact of facts.maps) {
    const type = binary.mapTypeAt(fact.Address, refuse, bias);
    assert.deepEqual(type, binary.mapTypeAt(fact.Address - bias));
    assert.equal(type?.name, fact.Name);
  }

  // Whatever the process says, there is a type or there is none.
  const made = facts.made[0]?.Address ?? 0;
  assert.equal(binary.mapTypeAt(made, refuse, bias), undefined);
  assert.equal(
    binary.mapTypeAt(made, () => new Uint8Array(3), bias),
    undefined,
  );
  assert.equal(
    binary.mapTypeAt(made, (_, length) => new Uint8Array(length).fill(21), bias),
    undefined,
  );
  assert.equal(binary.mapTypeAt(made + 8, read, bias), undefined);
  assert.equal(binary.mapTypeAt(made + 1, read, bias), undefined);
  assert.throws(() => binary.image.read(made - bias, 8), BinaryError);
}
