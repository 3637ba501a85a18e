/*
 * Everything that `npm test` checks: types, style, compiler warnings, then every test, and that the kernel warned of nothing
 * meanwhile. With --static only what needs no
 * kernel and takes seconds. `--test-name-pattern PATTERN` and names of files choose among the tests. `--run-again` is for a
 * machine that is shared with others: a few files that failed run once more, and are named if they pass then.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { watchKernelLog } from './runner/kernel-log.ts';
import { type Limits, runTests } from './runner/run-tests.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What attaches nothing and times nothing may run at the same time. Folders that are not named here run alone. */
const TOGETHER =
  'test/{base,bpf,export,gobinary,model,runner,setup,structure,support,tracesites}/**/*.test.ts';

const MINUTE_MS = 60_000;
/** More failures than that are no accident. */
const MOST_UNSTEADY_FILES = 5;

const LIMITS: Limits = { test: 10 * MINUTE_MS, file: 35 * MINUTE_MS, total: 85 * MINUTE_MS };

const { values: options, positionals: chosenFiles } = parseArgs({
  allowPositionals: true,
  options: {
    static: { type: 'boolean', default: false },
    'test-name-pattern': { type: 'string', multiple: true, default: [] },
    'run-again': { type: 'boolean', default: false },
  },
});

const say = (line: string): void => {
  process.stderr.write(`mapscope: ${line}\n`);
};

function step(title: string, command: string, commandArgs: readonly string[]): void {
  say(title);
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter);
  const { status, error } = spawnSync(command, commandArgs, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  if (status === 0) {
    return;
  }
  say(`failed: ${title}${error ? ` (${error.message})` : ''}`);
  process.exit(1);
}

const sources = (...patterns: string[]) =>
  patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();

/** The newest clang-format there is: Debian names it with its version. */
const clangFormat = ['clang-format-19', 'clang-format'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

step('types', 'tsc', ['-p', 'tsconfig.json']);
step('types of the page', 'tsc', ['-p', 'src/page/browser/tsconfig.json']);
step('style and lint', 'biome', ['ci', '--reporter=summary', '.']);
step('what nobody uses', 'knip', ['--no-progress']);
if (clangFormat === undefined) {
  throw new Error('clang-format is missing: run npm run setup');
}
step('C and C++ style', clangFormat, [
  '--dry-run',
  '--Werror',
  ...sources('bpf/**/*.{c,h}', 'native/**/*.{cc,h}', 'test/**/fixtures/*.c'),
]);
step('Go style', 'sh', [
  '-c',
  'test -z "$(gofmt -l test/services test/gobinary test/tracesites | tee /dev/stderr)"',
]);
if (!options.static) {
  say('tests');
  const chosen = chosenFiles.length > 0 ? chosenFiles : sources('test/**/*.test.ts');
  const files = chosen.map((file) => resolve(ROOT, file));
  const pure = new Set(sources(TOGETHER).map((file) => resolve(ROOT, file)));
  const batches = [
    { files: files.filter((file) => pure.has(file)), concurrency: 2 },
    // One file after the other: they observe and time real programs, and would disturb one another.
    { files: files.filter((file) => !pure.has(file)), concurrency: 1 },
  ];
  const limits = { ...LIMITS, total: LIMITS.total - performance.now() };
  const kernelWarnings = watchKernelLog(say);
  const { passed, unsteady } = await runTests(batches, {
    limits,
    namePatterns: options['test-name-pattern'],
    root: ROOT,
    runAgain: options['run-again'] ? MOST_UNSTEADY_FILES : 0,
  });
  for (const file of unsteady) {
    say(
      `unsteady: ${file} failed and passed when it ran again; that is a defect, of the test or of the product`,
    );
  }
  const warnings = kernelWarnings();
  for (const line of warnings) {
    say(`failed: the kernel warned during the tests: ${line}`);
  }
  process.exitCode = passed && warnings.length === 0 ? 0 : 1;
}
