import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkAgainstDwarf, openGoBinary, typeEquality } from '../../src/gobinary/index.ts';
import { newest, renumbered } from './altered.ts';
import { build } from './build.ts';
import { removeTemporaryFiles, section } from './files.ts';

const withoutBuildInfo = (file: Buffer): void => {
  const { offset, size } = section(file, '.go.buildinfo');
  file.fill(0, offset, offset + size);
};

describe('a Go newer than the newest known', () => {
  let path = '';
  let bare = '';
  before(() => {
    path = renumbered();
    bare = renumbered(withoutBuildInfo);
  });
  after(removeTemporaryFiles);

  test('is refused', () => {
    for (const file of [path, bare]) {
      assert.throws(() => openGoBinary(file), {
        name: 'BinaryError',
        reason: 'newer-go',
        message: `${file} was built with go1.28.4, newer than the supported Go 1.17 to 1.27.`,
      });
    }
  });

  test('is read with the newest layouts on request', () => {
    const known = openGoBinary(newest);
    assert.equal(known.version.known, true);
    for (const [file, source] of [
      [path, 'buildinfo'],
      [bare, 'runtime.buildVersion'],
    ] as const) {
      const binary = openGoBinary(file, { allowUnknown: true });
      assert.deepEqual(binary.version, { text: 'go1.28.4', minor: 28, patch: 4, known: false, source });
      assert.equal(binary.mapImplementation, 'swiss');
      assert.deepEqual(binary.mapTypes(), known.mapTypes());
      assert.deepEqual([...binary.functions()], [...known.functions()]);
      const [main] = binary.functionsNamed('main.main');
      assert.ok(main);
      assert.deepEqual(binary.frames(main.end - 1), known.frames(main.end - 1));
      const [type] = binary.mapTypes();
      assert.ok(type && typeEquality(binary, type.keyType).known);
      assert.deepEqual(checkAgainstDwarf(binary), []);
    }
  });

  test('is refused where the newest layouts do not fit', () => {
    const other = renumbered((file) => {
      const module = section(file, '.go.module').offset;
      file.writeBigUInt64LE(0n, module + 296);
    });
    assert.throws(() => openGoBinary(other, { allowUnknown: true }), {
      reason: 'malformed',
      message: /read as a program of Go 1\.27, has a type table/,
    });
  });

  test('the request changes nothing for other versions', () => {
    const options = { allowUnknown: true };
    assert.deepEqual(openGoBinary(newest, options).version, openGoBinary(newest).version);
    const old = build({ program: 'structs', toolchain: 'go1.16.15' });
    assert.throws(() => openGoBinary(old, options), { reason: 'go-version', message: /go1\.16\.15, older/ });
  });
});
