import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { type BinaryErrorReason, openGoBinary } from '../../src/gobinary/index.ts';
import { build, toolchains } from './build.ts';
import { removeTemporaryFiles, section, temporaryFile, temporaryPath } from './files.ts';

const go = (minor: number, ...flags: string[]): string =>
  build({ program: 'facts', toolchain: toolchains.get(minor) ?? '', flags });

function rejects(path: string, reason: BinaryErrorReason, message: RegExp): void {
  assert.throws(() => openGoBinary(path), { name: 'BinaryError', reason, message });
}

function dropSections(file: Buffer): void {
  file.fill(0, 40, 48);
  file.fill(0, 58, 64);
}

describe('what is not a supported Go program is refused with its reason', () => {
  after(removeTemporaryFiles);

  test('not a readable file', () => {
    rejects(temporaryPath('missing'), 'unreadable', /missing cannot be read: ENOENT/);
    rejects(import.meta.dirname, 'unreadable', /not a regular file/);
    const pipe = temporaryPath('pipe');
    execFileSync('mkfifo', [pipe]);
    rejects(pipe, 'unreadable', /not a regular file/);
    rejects('/dev/zero', 'unreadable', /not a regular file/);
  });

  test('not ELF', () => {
    rejects(temporaryFile(Buffer.alloc(0)), 'not-elf', /is not an ELF file/);
    rejects(temporaryFile(Buffer.from('#!/bin/sh\n')), 'not-elf', /is not an ELF file/);
    rejects(import.meta.filename, 'not-elf', /is not an ELF file/);
  });

  test('truncated', () => {
    const path = go(26);
    for (const length of [5, 63, 64, 100, 4096, 200_000, 1_500_000]) {
      rejects(
        temporaryFile(path, (file) => file.subarray(0, length)),
        'truncated',
        /truncated|has \d+ bytes, but/,
      );
    }
  });

  test('other machines', () => {
    const flags = { program: 'structs', toolchain: 'local' } as const;
    rejects(build({ ...flags, env: { GOARCH: '386', CGO_ENABLED: '0' } }), '32-bit', /is a 32-bit program/);
    rejects(
      build({ ...flags, env: { GOARCH: 'arm64', CGO_ENABLED: '0' } }),
      'architecture',
      /is not for x86-64/,
    );
  });

  test('not Go', () => {
    rejects(process.execPath, 'not-go', /is not a Go program/);
    rejects(
      temporaryFile(go(26), (file) => void file.writeUInt16LE(1, 16)),
      'not-go',
      /not an executable/,
    );
  });

  test('other Go versions', () => {
    const old = build({ program: 'structs', toolchain: 'go1.16.15' });
    rejects(old, 'go-version', /built with go1\.16\.15, older than the supported Go 1\.17 to 1\.27/);
    const claims = (minor: number, text: string): string =>
      temporaryFile(go(minor), (file) => {
        const { offset } = section(file, '.go.buildinfo');
        file.write(text, offset + 33, 'latin1');
      });
    rejects(claims(27, 'go1.28'), 'newer-go', /built with go1\.28\.4, newer than/);
    rejects(claims(26, 'go1.19'), 'malformed', /but its function table is of another version/);
    rejects(claims(23, 'go1.27'), 'malformed', /read as a program of Go 1\.27, has a type table/);
    const magic = (value: number): string =>
      temporaryFile(go(26), (file) => void file.writeUInt32LE(value, section(file, '.gopclntab').offset));
    rejects(
      magic(0xffff_fff2),
      'go-version',
      /unknown format \(0xfffffff2\): .*, or the file was altered, as garble does\.$/,
    );
    rejects(magic(0xffff_fffb), 'go-version', /Go 1\.15 or older/);
  });
});

describe('what may be missing from a Go program', () => {
  after(removeTemporaryFiles);

  for (const [minor, ...flags] of [
    [17],
    [19],
    [23],
    [26],
    [27],
    [17, '-buildmode=pie'],
    [26, '-buildmode=pie'],
  ] as const) {
    const path = go(minor, ...flags);
    const whole = openGoBinary(path);
    const same = (other: string): void => {
      const binary = openGoBinary(other);
      assert.deepEqual(binary.types, whole.types);
      assert.deepEqual(binary.mapTypes(), whole.mapTypes());
      assert.deepEqual([...binary.functions()], [...whole.functions()]);
      assert.equal(binary.buildId, whole.buildId);
    };

    test(`section headers: Go 1.${minor} ${flags.join(' ')}`, () => {
      const bare = temporaryFile(path, dropSections);
      same(bare);
      assert.deepEqual(openGoBinary(bare).version, whole.version);
      assert.equal(openGoBinary(bare).stripped, true);
    });

    test(`build information: Go 1.${minor} ${flags.join(' ')}`, () => {
      const bare = temporaryFile(path, (file) => {
        file.fill(0, section(file, '.go.buildinfo').offset, section(file, '.go.buildinfo').offset + 32);
        dropSections(file);
      });
      same(bare);
      assert.deepEqual(openGoBinary(bare).version, { ...whole.version, source: 'runtime.buildVersion' });
      assert.equal(openGoBinary(bare).modulePath, undefined);
    });
  }

  for (const minor of [26, 27]) {
    test(`any version text: Go 1.${minor}`, () => {
      const bare = temporaryFile(go(minor), (file) => {
        const info = section(file, '.go.buildinfo');
        file.fill(0, info.offset, info.offset + info.size);
        const { version } = openGoBinary(go(minor));
        for (let at = file.indexOf(version.text); at >= 0; at = file.indexOf(version.text, at)) {
          file.fill(0x20, at, at + 5);
        }
      });
      const expected = {
        ...{ text: `go1.${minor}`, minor, patch: undefined },
        ...{ known: true, source: 'go.module' },
      };
      assert.deepEqual(openGoBinary(bare).version, expected);
    });
  }

  test('any version text, before .go.module', () => {
    const bare = temporaryFile(go(23), (file) => {
      for (let at = file.indexOf('go1.23'); at >= 0; at = file.indexOf('go1.23', at)) {
        file.fill(0x20, at, at + 5);
      }
    });
    rejects(bare, 'go-version', /its Go version cannot be determined/);
  });
});

describe('parts of the interface', () => {
  const path = go(26);
  const binary = openGoBinary(path);

  test('functions by name, address and position', () => {
    const [main] = binary.functionsNamed('main.main');
    assert.ok(main);
    assert.deepEqual(binary.functionAt(main.entry), main);
    assert.deepEqual(binary.functionAt(main.end - 1), main);
    assert.equal(binary.functionAt(0), undefined);
    assert.equal(binary.functionAt(Number.NaN), undefined);
    assert.deepEqual(binary.functionsNamed('main.mai'), []);
    assert.deepEqual(binary.functionsNamed('ain.main'), []);
    assert.deepEqual(binary.frames(12), []);
    assert.equal(binary.spDelta(12), undefined);
    assert.equal(binary.spDelta(main.entry), 0);
  });

  test('all functions of one name', () => {
    const names = new Map<string, number>();
    for (const { name } of binary.functions()) {
      names.set(name, (names.get(name) ?? 0) + 1);
    }
    const repeated = [...names].filter(([, count]) => count > 1);
    assert.ok(repeated.length > 0);
    for (const [name, count] of repeated) {
      assert.equal(binary.functionsNamed(name).length, count);
    }
  });

  test('functions, sizes and symbols as the Go tool lists them', () => {
    const listed = execFileSync('go', ['tool', 'nm', '-size', path], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const sizes = new Map<number, number>();
    for (const [, address = '', size] of listed.matchAll(/^\s*([0-9a-f]+)\s+(\d+) [tT] /gm)) {
      const at = Number.parseInt(address, 16);
      sizes.set(at, Math.max(Number(size), sizes.get(at) ?? 0));
    }
    for (const { name, entry, end } of binary.functions()) {
      if (name.startsWith('go:textfips')) {
        continue; // a marker of 1 byte without a stack table
      }
      assert.equal(end - entry, sizes.get(entry), name);
    }
    const [main] = binary.functionsNamed('main.main');
    const { address, size } = binary.symbol('main.main') ?? {};
    assert.deepEqual([address, (address ?? 0) + (size ?? 0)], [main?.entry, main?.end]);
    assert.equal(binary.symbol('no.such.symbol'), undefined);
    assert.equal(binary.symbol('runtime.firstmoduledata')?.size, 592);
  });

  test('code and file offsets', () => {
    const [main] = binary.functionsNamed('main.main');
    assert.ok(main);
    const offset = binary.fileOffset(main.entry) ?? -1;
    temporaryFile(path, (file) => {
      assert.deepEqual(Buffer.from(binary.code(main)), file.subarray(offset, offset + main.end - main.entry));
    });
    assert.equal(binary.fileOffset(binary.types.start), undefined);
    assert.equal(binary.fileOffset(1), undefined);
    assert.ok(binary.segments().some(({ executable, address }) => executable && address <= main.entry));
    removeTemporaryFiles();
  });

  test('build ID', () => {
    assert.equal(binary.buildId, execFileSync('go', ['tool', 'buildid', path], { encoding: 'utf8' }).trim());
  });

  test('memory outside the program', () => {
    for (const [address, length] of [
      [0, 1],
      [-1, 8],
      [Number.NaN, 8],
      [2 ** 60, 8],
      [binary.types.start, 2 ** 40],
      [binary.types.start, -1],
      [binary.types.start + 0.5, 1],
    ] as const) {
      assert.throws(() => binary.image.read(address, length), { name: 'BinaryError' });
    }
    const bss = binary.segments().find(({ memorySize, fileSize }) => memorySize > fileSize);
    assert.ok(bss);
    const edge = bss.address + bss.fileSize - 4;
    assert.deepEqual([...binary.image.read(edge, 12).subarray(4)], [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.equal(binary.image.u64(edge + 4), 0);
  });
});
