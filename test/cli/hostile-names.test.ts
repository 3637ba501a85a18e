// Names in files that nobody has vetted must not control the terminal, whichever command shows them.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CommandResult, mapscope, ROOT } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-hostile-'));
const hostile = join(folder, 'st\u001b[31m\rea\ndy');
const NAME = 'main.work';
const running: ChildProcess[] = [];
after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

before(async () => {
  const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
  const file = readFileSync(await buildGo({ dir, version: 'local' }));
  // Every name in the function table, of functions of the program itself.
  for (let at = file.indexOf('\0main.'); at >= 0; at = file.indexOf('\0main.', at + 1)) {
    const end = file.indexOf(0, at + 1);
    if (end - at > NAME.length - 2 && !file.toString('latin1', at + 1, end).startsWith('main.main')) {
      file.write('\u001b[2J', at + 6);
    }
  }
  writeFileSync(hostile, file, { mode: 0o755 });
});

/** No control characters but the line feeds, and the names are there all the same. */
function assertClean(result: CommandResult, shown: RegExp): void {
  const text = result.stdout + result.stderr;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(text, /[\0-\x09\x0b-\x1f\x7f-\x9f]/);
  assert.match(text, shown);
}

function start(): string {
  const child = spawn(hostile, ['-rate', '1000', '-goroutines', '1'], { stdio: 'ignore' });
  running.push(child);
  return String(child.pid);
}

const FILE = /st\?\[31m\?ea\?dy/;

test('scan', async () => {
  const result = await mapscope(['scan', hostile]);
  assert.equal(result.status, 0, result.stderr);
  assertClean(result, FILE);
  assertClean(result, /main\.\?\[2J/);
});

test('doctor', async () => {
  assertClean(await mapscope(['doctor', '--pid', start()]), FILE);
});

test('the table', { timeout: 60_000 }, async () => {
  const args = ['attach', '--mode', 'all', '--duration', '1s', '--pid', start()];
  const result = await mapscope(args);
  assert.equal(result.status, 0, result.stderr);
  assertClean(result, FILE);
  assertClean(result, /main\.\?\[2J/);
});

test('errors', async () => {
  const broken = join(folder, 'br\u001b]0;title\u0007\noken');
  writeFileSync(broken, 'no program', { mode: 0o755 });
  const result = await mapscope(['run', '--', broken]);
  assert.equal(result.status, 3);
  assert.equal(result.stderr.split('\n').length, 2, 'one line');
  assertClean(result, /br\?\]0;title\?\?oken/);
  assertClean(await mapscope(['scan', '--\u001b[31m', hostile]), /unknown option '--\?\[31m'/);
});

test('the live line of a real terminal gives way to a warning, and colours to NO_COLOR', () => {
  const script = `
    import { STDERR, textOf } from ${JSON.stringify(join(ROOT, 'src/base/terminal.ts'))};
    STDERR.setLive(() => 'live \\x1b[31m line');
    STDERR.write('mapscope: warning: something');
    STDERR.setLive(undefined);
    process.stdout.write(textOf([{ text: 'head', style: 'bold' }], process.stdout));
  `;
  const file = join(folder, 'terminal.ts');
  writeFileSync(file, script);
  const shown = (env: Record<string, string>) => {
    // Nothing inherited: NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS, CI and more have a say in colours.
    const { PATH = '' } = process.env;
    const args = ['-qec', `${process.execPath} ${file}`, '/dev/null'];
    const options = { env: { PATH, TERM: 'xterm-256color', ...env }, encoding: 'utf8' } as const;
    return spawnSync('script', args, options).stdout;
  };
  const erase = '\r\u001b[2K';
  const lines = `${erase}live ?[31m line${erase}mapscope: warning: something\r\nlive ?[31m line${erase}`;
  assert.equal(shown({}), `${lines}\u001b[1mhead\u001b[22m\r\n`);
  assert.equal(shown({ NO_COLOR: '1' }), `${lines}head\r\n`);
});
