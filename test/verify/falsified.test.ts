import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSettings } from '../../src/config/settings.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { openTarget } from '../../src/session/target.ts';
import { verifyFirst } from '../../src/session/verified.ts';
import { Executable } from '../../src/target/executable.ts';
import { buildOracle } from '../exactness/cells.ts';
import { ROOT } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { falsify, type Lie } from './falsify.ts';

const COMMAND = fileURLToPath(new URL('falsified-command.ts', import.meta.url));
const LONG = { timeout: 120_000 };

let swiss = '';
let classic = '';
before(async () => {
  swiss = await buildOracle({ version: 'local', flavor: 'default' });
  classic = await buildOracle({ version: '1.23.12', flavor: 'default' });
});

function falsified(lie: Lie, command: 'verify' | 'run', program: string) {
  const args = [COMMAND, lie, command, program, '-seed', '5', '-lookups', '30000'];
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ status, stdout, stderr });
    });
  });
}

const WRONG: readonly Lie[] = [
  'keys elsewhere',
  'keys further apart',
  'larger groups',
  'elements elsewhere',
  'elements further apart',
  'direct elements',
];

for (const kind of ['Swiss', 'classic'] as const) {
  for (const lie of WRONG) {
    // Keys begin at the same place in every classic bucket, so nobody asks the type.
    if (kind === 'classic' && lie === 'keys elsewhere') {
      continue;
    }
    test(`${kind} maps described wrongly, ${lie}: verification fails and says where`, LONG, async () => {
      const { status, stdout, stderr } = await falsified(lie, 'verify', kind === 'Swiss' ? swiss : classic);
      assert.equal(status, 1, stdout + stderr);
      assert.equal(stderr, '');
      assert.match(stdout, /^lookup function +checked +agreed +disagreed +not checked$/m);
      // Name, checked, agreed, disagreed.
      assert.match(stdout, /^mapaccess2 +[\d,]+ +[\d,]+ +[1-9][\d,]*/m);
      assert.match(
        stdout,
        /^mapaccess2 in map\[.* at .*\.go:\d+ main\..*\n {2}decoded: {2}a (miss|hit, the element at 0x[\da-f]+)\n {2}returned: a (miss|hit), 0x[\da-f]+$/m,
      );
      assert.match(stdout, /^[\d,]+ of [\d,]+ lookups disagree: /m);
    });
  }
}

test('a zero value that is not known makes checks of misses weaker, and that is said', LONG, async () => {
  const { status, stdout } = await falsified('another zero value', 'verify', swiss);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^For [\d,]+ misses only the absence of an element was checked/m);
  assert.match(stdout, /each agrees with what the function returned\.$/m);
});

test('run --verify leaves out the functions that disagree, and only those', LONG, async () => {
  const { status, stdout, stderr } = await falsified('string keys elsewhere', 'run', swiss);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^mapscope: warning: [\d,]+ of [\d,]+ verified lookups disagree\.$/m);
  const summary: Summary = JSON.parse(stdout);
  // Strings are keys in the generic functions too, where elements are long.
  const wrong = ['mapaccess1', 'mapaccess1_faststr', 'mapaccess2', 'mapaccess2_faststr'];
  const right = ['mapaccess1_fast32', 'mapaccess1_fast64', 'mapaccess2_fast32', 'mapaccess2_fast64'];
  assert.deepEqual(summary.refusedFunctions.map(({ name }) => name.replace('runtime.', '')).sort(), wrong);
  for (const { reason } of summary.refusedFunctions) {
    assert.match(reason, /^[1-9]\d* of \d+ verified lookups returned something other than mapscope decoded$/);
  }
  assert.deepEqual(summary.functions.map(({ name }) => name).sort(), right);
  assert.ok(summary.callSites.length > 0);
  for (const { variant } of summary.callSites) {
    assert.ok(right.includes(variant), variant);
  }
});

test('attach --verify plans without the functions that disagree', LONG, async () => {
  const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
  const steady = await buildGo({ dir, version: 'local' });
  const child = spawn(steady, ['-rate', '20000', '-goroutines', '4'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    const executable = Executable.ofProcess(child.pid ?? 0);
    const binary = falsify(openTarget(executable), 'elements elsewhere');
    const settings = readSettings({ lookups: 100, verify: true });
    const plan = await verifyFirst(child.pid ?? 0, { executable, binary, preparation: undefined }, settings);
    const refused = plan.functions.filter((fn) => fn.outcome === 'refused').map((fn) => fn.name);
    assert.deepEqual(refused, ['runtime.mapaccess1_fast64']);
    const planned = plan.sites.map((site) => plan.functions[site.functionIndex]?.name);
    assert.ok(planned.includes('runtime.mapaccess2_faststr'));
    assert.ok(!planned.includes('runtime.mapaccess1_fast64'));
  } finally {
    child.kill('SIGKILL');
  }
});
