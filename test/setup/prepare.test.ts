// Runs the preparation in small checkouts of its own, with commands that only write down that they were called.

import assert from 'node:assert/strict';
import { type SpawnOptions, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';

const SETUP_SOURCES = resolve(import.meta.dirname, '../../tools/setup');
const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65534;

const LOCK = (version: string) => ({
  packages: { '': { name: 'mapscope' }, 'node_modules/a': { version, integrity: `sha512-${version}` } },
});

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Checkout {
  readonly root = mkdtempSync(join(tmpdir(), 'mapscope-prepare-'));
  readonly commands = join(this.root, 'commands');
  readonly #log = join(this.root, 'calls');

  constructor() {
    chmodSync(this.root, 0o755);
    cpSync(SETUP_SOURCES, join(this.root, 'tools/setup'), { recursive: true });
    this.write('package-lock.json', JSON.stringify(LOCK('1.0.0')));
    this.write('binding.gyp', '{}');
    this.write('native/addon.cc', 'int a;');
    this.write('bpf/shared/records.h', '#define R 1');
    this.write('bpf/swiss.h', '#define S 1');
    this.write('bpf/one.bpf.c', 'int one;');
    this.write('bpf/two.bpf.c', 'int two;');
    this.tool(
      'npm',
      `mkdir -p node_modules/.bin && sed 's/"":[^}]*},//' package-lock.json > node_modules/.package-lock.json
       cp "${this.commands}/node-gyp-to-install" node_modules/.bin/node-gyp`,
    );
    this.tool(
      'node-gyp-to-install',
      'sleep 0.3; mkdir -p build/Release && echo addon > build/Release/mapscope.node',
      'node-gyp',
    );
    this.tool('clang-19', 'while [ "$1" != -o ]; do shift; done; echo object > "$2"');
    this.tool('pkg-config', 'exit 0', null);
    for (const name of ['g++', 'make', 'python3', 'chromium']) {
      this.tool(name, 'exit 0', null);
    }
  }

  write(path: string, content: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  /** A command that notes its call under `logName`, with the arguments that do not depend on the machine. */
  tool(name: string, script: string, logName: string | null = name): void {
    const note = logName === null ? '' : `echo "${logName} $*" >> "${this.#log}"`;
    this.write(
      `commands/${name}`,
      `#!/bin/sh\nPATH="${this.commands}:/usr/bin:/bin"\ncd "${this.root}"\n${note}\n${script}\n`,
    );
    chmodSync(join(this.commands, name), 0o755);
  }

  without(name: string): void {
    rmSync(join(this.commands, name));
  }

  /** The names of the commands called since the last time of asking. */
  calls(): string[] {
    return this.callLines().map((line) => line.split(' ')[0] ?? '');
  }

  callLines(): string[] {
    if (!existsSync(this.#log)) {
      return [];
    }
    const lines = readFileSync(this.#log, 'utf8').trim().split('\n');
    rmSync(this.#log);
    return lines;
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  prepare(args: string[] = ['--quiet'], options: SpawnOptions = {}): Promise<Outcome> {
    return new Promise((done, fail) => {
      const script = join(this.root, 'tools/setup/prepare.mjs');
      const child = spawn(process.execPath, [script, ...args], {
        env: { PATH: this.commands },
        ...options,
        stdio: 'pipe',
      });
      let stdout = '';
      let stderr = '';
      child.stdout?.on('data', (chunk) => (stdout += chunk));
      child.stderr?.on('data', (chunk) => (stderr += chunk));
      child.on('error', fail);
      child.on('close', (status) => done({ status, stdout, stderr }));
    });
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

const checkouts: Checkout[] = [];
after(() => {
  for (const checkout of checkouts) {
    checkout.remove();
  }
});

function newCheckout(): Checkout {
  const checkout = new Checkout();
  checkouts.push(checkout);
  return checkout;
}

async function preparedCheckout(): Promise<Checkout> {
  const checkout = newCheckout();
  assert.deepEqual(await checkout.prepare(), {
    status: 0,
    stdout: '',
    stderr: [
      'mapscope: installing npm packages',
      'mapscope: building the native addon',
      'mapscope: compiling the BPF programs',
      '',
    ].join('\n'),
  });
  assert.deepEqual(checkout.calls(), ['npm', 'node-gyp', 'clang-19', 'clang-19']);
  return checkout;
}

test('a bare checkout is built once, and then left alone in silence', async () => {
  const checkout = await preparedCheckout();
  assert.ok(checkout.has('build/Release/mapscope.node'));
  assert.ok(checkout.has('build/bpf/one.bpf.o') && checkout.has('build/bpf/two.bpf.o'));
  assert.ok(!checkout.has('build/.prepare-lock'));
  assert.deepEqual(await checkout.prepare(), { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(await checkout.prepare([]), {
    status: 0,
    stdout: '',
    stderr: 'mapscope: everything is built\n',
  });
  assert.deepEqual(checkout.calls(), []);
});

for (const { changed, rebuilt } of [
  { changed: 'native/addon.cc', rebuilt: ['node-gyp'] },
  { changed: 'native/added.cc', rebuilt: ['node-gyp'] },
  { changed: 'binding.gyp', rebuilt: ['node-gyp'] },
  { changed: 'bpf/one.bpf.c', rebuilt: ['clang-19'] },
  { changed: 'bpf/swiss.h', rebuilt: ['clang-19', 'clang-19'] },
  { changed: 'bpf/shared/records.h', rebuilt: ['node-gyp', 'clang-19', 'clang-19'] },
]) {
  test(`a change of ${changed} rebuilds ${rebuilt.join(', ')}`, async () => {
    const checkout = await preparedCheckout();
    checkout.write(changed, 'changed');
    assert.equal((await checkout.prepare()).status, 0);
    assert.deepEqual(checkout.calls(), rebuilt);
    assert.ok(checkout.has('build/bpf/one.bpf.o'));
  });
}

test('what is made of an object is made again in the same preparation as the object', async () => {
  const checkout = await preparedCheckout();
  checkout.tool('clang-19', 'while [ "$1" != -o ]; do shift; done; cat bpf/shared/records.h > "$2"', null);
  checkout.write('bpf/records.bpf.c', 'int records;');
  // The names are written by the project's own Node: here a command that copies the object.
  checkout.tool('node', 'cat "$2" > "$3"', null);
  mkdirSync(join(checkout.root, 'node_modules/.bin'), { recursive: true });
  cpSync(join(checkout.commands, 'node'), join(checkout.root, 'node_modules/.bin/node'));
  for (const content of ['first', 'second']) {
    checkout.write('bpf/shared/records.h', content);
    assert.equal((await checkout.prepare()).status, 0);
    assert.equal(readFileSync(join(checkout.root, 'build/record-names.ts'), 'utf8'), content);
  }
});

test('a program that may sleep where the kernel lets it is built twice', async () => {
  const checkout = await preparedCheckout();
  checkout.write('bpf/lookup.bpf.c', 'int lookup;');
  assert.equal((await checkout.prepare()).status, 0);
  const flags = checkout.callLines().map((line) => /-DSLEEPABLE=\S+/.exec(line)?.[0]);
  assert.deepEqual(flags.sort(), ['-DSLEEPABLE=0', '-DSLEEPABLE=1']);
  assert.ok(
    checkout.has('build/bpf/lookup_atomic.bpf.o') && checkout.has('build/bpf/lookup_sleepable.bpf.o'),
  );
  assert.ok(!checkout.has('build/bpf/lookup.bpf.o'));
});

test('a new lock file installs the packages again', async () => {
  const checkout = await preparedCheckout();
  checkout.write('package-lock.json', JSON.stringify(LOCK('1.0.1')));
  assert.equal((await checkout.prepare()).status, 0);
  assert.deepEqual(checkout.calls(), ['npm']);
});

test('installing anything but what is locked is an error', async () => {
  const checkout = newCheckout();
  const other = JSON.stringify(LOCK('1.0.7'));
  checkout.tool('npm', `mkdir -p node_modules && echo '${other}' > node_modules/.package-lock.json`);
  const { status, stderr } = await checkout.prepare();
  assert.equal(status, 1);
  assert.match(stderr, /npm installed other packages than package-lock.json names: bring it up to date\n$/);
});

test('packages that the user installed are recognised', async () => {
  const checkout = await preparedCheckout();
  rmSync(join(checkout.root, 'node_modules/.mapscope-stamp'));
  assert.equal((await checkout.prepare()).status, 0);
  assert.deepEqual(checkout.calls(), []);
});

test('system packages are not asked for when nothing is to be built', async () => {
  const checkout = await preparedCheckout();
  for (const name of ['clang-19', 'make', 'g++']) {
    checkout.without(name);
  }
  assert.equal((await checkout.prepare()).status, 0);
});

function onMachineLackingPackages(): Checkout {
  const checkout = newCheckout();
  for (const name of ['clang-19', 'make']) {
    checkout.without(name);
  }
  checkout.tool('clang-14', 'exit 1');
  checkout.tool(
    'pkg-config',
    '[ -e have-libbpf ] || { [ "$*" = "--exists zlib" ] && exit 0; exit 1; }',
    null,
  );
  checkout.tool('apt-cache', 'printf "clang-14 - C\\nclang-16 - C\\nclang-18 - C\\n"', null);
  checkout.tool(
    'apt-get',
    `case "$*" in *install*)
       touch have-libbpf
       for name in clang-18 make; do cp commands/node-gyp-to-install commands/$name; done
       printf '#!/bin/sh\\nwhile [ "$1" != -o ]; do shift; done; echo object > "$2"' > commands/clang-18
     esac`,
  );
  return checkout;
}

const INSTALL = 'install -y --no-install-recommends clang-18 make libbpf-dev libelf-dev';

test('root gets missing system packages installed', { skip: !IS_ROOT }, async () => {
  const checkout = onMachineLackingPackages();
  const { status, stderr } = await checkout.prepare();
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^mapscope: installing system packages: clang make libbpf-dev libelf-dev$/m);
  assert.deepEqual(
    checkout.callLines().filter((line) => line.startsWith('apt-get')),
    [`apt-get -o DPkg::Lock::Timeout=120 update`, `apt-get -o DPkg::Lock::Timeout=120 ${INSTALL}`],
  );
});

test('root gets what the checks need, unless only running is meant', { skip: !IS_ROOT }, async () => {
  const checkout = await preparedCheckout();
  checkout.tool('apt-cache', 'printf "clang-format-18 - C\\nclang-format-19 - C\\n"', null);
  checkout.tool(
    'apt-get',
    'case "$*" in *install*) for name in clang-format-19 zsh fish; do cp commands/make commands/$name; done; esac',
  );
  assert.equal((await checkout.prepare()).status, 0);
  assert.deepEqual(checkout.calls(), []);
  assert.equal((await checkout.prepare([])).status, 0);
  assert.match(checkout.callLines().join(), /install -y --no-install-recommends clang-format-19 zsh fish$/);
  assert.equal((await checkout.prepare([])).status, 0);
  assert.deepEqual(checkout.calls(), []);
});

test('anyone else is told the one line to run', { skip: !IS_ROOT }, async () => {
  const checkout = onMachineLackingPackages();
  for (const folder of ['build', 'node_modules']) {
    mkdirSync(join(checkout.root, folder));
  }
  for (const folder of ['build', 'node_modules', '.']) {
    chmodSync(join(checkout.root, folder), 0o777);
  }
  const { status, stderr } = await checkout.prepare(['--quiet'], { uid: NOBODY, gid: NOBODY });
  assert.equal(status, 3);
  assert.match(stderr, new RegExp(`the build needs; run: sudo apt-get ${INSTALL}\n$`));
});

test('a machine without apt-get is told what is missing', async () => {
  const checkout = onMachineLackingPackages();
  checkout.without('apt-get');
  const { status, stderr } = await checkout.prepare();
  assert.equal(status, 3);
  assert.match(stderr, /install what Debian calls: clang-18 make libbpf-dev libelf-dev\n$/);
});

test('an installation that fails in passing is tried once more', { skip: !IS_ROOT }, async () => {
  const checkout = onMachineLackingPackages();
  checkout.tool('apt-get', 'case "$*" in *install*) echo "E: Failed to fetch x"; exit 100; esac');
  const { status, stderr } = await checkout.prepare();
  assert.equal(status, 3);
  assert.match(stderr, /E: Failed to fetch x\nmapscope: apt-get install ended with status 100\n$/);
  assert.equal(checkout.callLines().filter((line) => line.includes('install')).length, 2);

  checkout.tool('apt-get', 'case "$*" in *install*) echo "E: Unable to locate package"; exit 100; esac');
  assert.equal((await checkout.prepare()).status, 3);
  assert.equal(checkout.callLines().filter((line) => line.includes('install')).length, 1);
});

for (const { tool, sentence } of [
  { tool: 'npm', sentence: 'npm install ended with status 7' },
  { tool: 'node-gyp-to-install', sentence: 'node-gyp ended with status 7' },
  { tool: 'clang-19', sentence: 'clang ended with status 7 on one.bpf.c' },
]) {
  test(`${sentence.split(' ')[0]} failing is told in one sentence after its output`, async () => {
    const checkout = newCheckout();
    checkout.without('../bpf/two.bpf.c');
    checkout.tool(tool, 'echo to stdout; echo to stderr >&2; exit 7');
    const { status, stderr } = await checkout.prepare();
    assert.equal(status, 1);
    assert.ok(stderr.includes('to stdout\n') && stderr.includes('to stderr\n'), stderr);
    assert.ok(stderr.endsWith(`mapscope: ${sentence}\n`), stderr);
    assert.ok(!checkout.has('build/.prepare-lock'));
  });
}

test('two preparations at once do the work once', async () => {
  const checkout = newCheckout();
  const [first, second] = await Promise.all([checkout.prepare(), checkout.prepare()]);
  assert.deepEqual([first.status, second.status], [0, 0], first.stderr + second.stderr);
  assert.match(first.stderr + second.stderr, /waiting for another preparation/);
  assert.deepEqual(checkout.calls(), ['npm', 'node-gyp', 'clang-19', 'clang-19']);
});

test('the lock of a process that is gone is taken over', async () => {
  const checkout = newCheckout();
  const dead = spawn('/bin/true');
  await new Promise((done) => dead.on('close', done));
  const { hostname } = await import('node:os');
  checkout.write('build/.prepare-lock/owner', `${hostname()} ${dead.pid}\n`);
  assert.equal((await checkout.prepare()).status, 0);
});

test('a preparation that is interrupted leaves no lock', async () => {
  const checkout = newCheckout();
  checkout.tool('node-gyp-to-install', 'exec sleep 5');
  const script = join(checkout.root, 'tools/setup/prepare.mjs');
  const child = spawn(process.execPath, [script], { env: { PATH: checkout.commands }, stdio: 'ignore' });
  const lock = join(checkout.root, 'build/.prepare-lock/owner');
  while (!existsSync(lock) || statSync(lock).size === 0) {
    await new Promise((done) => setTimeout(done, 10));
  }
  child.kill('SIGTERM');
  const status = await new Promise((done) => child.on('close', done));
  assert.equal(status, 143);
  assert.ok(!checkout.has('build/.prepare-lock'));
});

test('an unknown argument is refused', async () => {
  const { status, stderr } = await newCheckout().prepare(['--fast']);
  assert.equal(status, 2);
  assert.match(stderr, /unknown argument --fast; usage: /);
});
