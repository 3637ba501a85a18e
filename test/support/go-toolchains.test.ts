import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildGo, type GoBuild, goRoot } from './go-toolchains.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-go-toolchains-'));
const built = new Set<string>();

after(() => {
  rmSync(folder, { recursive: true });
  for (const binary of built) {
    rmSync(binary);
  }
});

async function build(options: GoBuild): Promise<string> {
  const binary = await buildGo(options);
  built.add(binary);
  return binary;
}

/** A program that prints the version it was built with and the value of a linker flag. No two are built alike. */
function program(name: string): string {
  const dir = mkdtempSync(join(folder, name));
  writeFileSync(join(dir, 'go.mod'), `module program\n\ngo 1.17\n\n// ${dir}\n`);
  writeFileSync(
    join(dir, 'main.go'),
    'package main\n\nimport "runtime"\n\nvar greeting = "none"\n\nfunc main() { println(runtime.Version(), greeting) }\n',
  );
  return dir;
}

const output = (binary: string) =>
  execFileSync('sh', ['-c', '"$0" 2>&1', binary], { encoding: 'utf8' }).trim();

for (const version of ['1.19.13', '1.23.12']) {
  test(`builds with Go ${version}`, async () => {
    assert.equal(output(await build({ dir: program('version'), version })), `go${version} none`);
  });
}

test('builds once, and again when anything that matters has changed', async () => {
  const dir = program('cache');
  const [first, sameTime] = await Promise.all([
    build({ dir, version: 'local' }),
    build({ dir, version: 'local' }),
  ]);
  assert.equal(first, sameTime);
  const { mtimeMs } = statSync(first);
  assert.equal(await build({ dir, version: 'local' }), first);
  assert.equal(statSync(first).mtimeMs, mtimeMs);

  const greeted = await build({ dir, version: 'local', flags: ['-ldflags=-X=main.greeting=hello'] });
  assert.match(output(greeted), / hello$/);

  writeFileSync(join(dir, 'main.go'), 'package main\n\nfunc main() { println("changed") }\n');
  assert.equal(output(await build({ dir, version: 'local' })), 'changed');
});

test('replaces files of the toolchain', async () => {
  const dir = program('overlay');
  const path = join(await goRoot('local'), 'src/container/ring/answer.go');
  const answer = (n: number) => ({ [path]: `package ring\n\nfunc Answer() int { return ${n} }\n` });
  writeFileSync(
    join(dir, 'main.go'),
    'package main\n\nimport "container/ring"\n\nfunc main() { println(ring.Answer()) }\n',
  );
  assert.equal(output(await build({ dir, version: 'local', overlay: answer(41) })), '41');
});

test('says what the compiler said', async () => {
  const dir = program('error');
  writeFileSync(join(dir, 'main.go'), 'package main\n\nfunc main() { nothing() }\n');
  await assert.rejects(build({ dir, version: 'local' }), /undefined: nothing/);
});
