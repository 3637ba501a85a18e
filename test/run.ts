/*
 * Everything that `npm test` checks: types, style, compiler warnings, then every test. With --static only what needs no
 * kernel and takes seconds. Arguments other than that are passed on to the test runner.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2).filter((arg) => arg !== '--static');
const staticOnly = process.argv.includes('--static');

function step(title: string, command: string, commandArgs: readonly string[]): void {
  process.stderr.write(`mapscope: ${title}\n`);
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter);
  const { status, error } = spawnSync(command, commandArgs, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  if (status === 0) return;
  process.stderr.write(`mapscope: failed: ${title}${error ? ` (${error.message})` : ''}\n`);
  process.exit(1);
}

const sources = (...patterns: string[]) =>
  patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();

/** The newest clang-format there is: Debian names it with its version. */
const clangFormat = ['clang-format-19', 'clang-format'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

step('types', 'tsc', ['-p', 'tsconfig.json']);
step('style and lint', 'biome', ['ci', '--reporter=summary', '.']);
if (clangFormat === undefined) throw new Error('clang-format is missing: run npm run setup');
step('C and C++ style', clangFormat, [
  '--dry-run',
  '--Werror',
  ...sources('bpf/*.{c,h}', 'native/*.{cc,h}', 'test/**/fixtures/*.c'),
]);
step('Go style', 'sh', [
  '-c',
  'test -z "$(gofmt -l test/services test/gobinary test/tracesites | tee /dev/stderr)"',
]);
if (!staticOnly) {
  // One file after the other: several observe and time real programs, and would disturb one another.
  const tests = sources('test/**/*.test.ts');
  step('tests', process.execPath, ['--test', '--test-concurrency=1', ...args, ...tests]);
}
