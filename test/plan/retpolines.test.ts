import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type GoBinary, openGoBinary } from '../../src/gobinary/index.ts';
import { retpolineRegister } from '../../src/plan/code/callees.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import { buildOracle } from '../exactness/cells.ts';
import { mapscope } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-retpolines-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const LONG = { timeout: 300_000 };

/** As the numbers of x86-64 registers go; SP has no retpoline. */
const REGISTERS = [
  'AX',
  'CX',
  'DX',
  'BX',
  '',
  'BP',
  'SI',
  'DI',
  ...[8, 9, 10, 11, 12, 13, 14, 15].map((n) => `R${n}`),
];
const RETPOLINE = /^runtime\.retpoline(\w+)/;

function retpolinesOf(binary: GoBinary) {
  return [...binary.functions()].filter((fn) => RETPOLINE.test(fn.name));
}

for (const version of ['1.22.12', 'local', '1.27.4']) {
  test(`Go ${version}: retpolines are told from all other functions`, LONG, async () => {
    const binary = openGoBinary(await buildOracle({ version, flavor: 'spectre' }));
    const own = new Set(retpolinesOf(binary));
    assert.ok(own.size > 3);
    for (const fn of binary.functions()) {
      const register = retpolineRegister(binary.code(fn));
      const name = RETPOLINE.exec(fn.name)?.[1];
      assert.equal(register, name === undefined ? undefined : REGISTERS.indexOf(name), fn.name);
    }
  });
}

test(
  'calls by retpolines of a form that is not known: functions are refused, with the reason',
  LONG,
  async () => {
    const path = await buildOracle({ version: 'local', flavor: 'spectre' });
    const binary = openGoBinary(path);
    const bytes = readFileSync(path);
    for (const fn of retpolinesOf(binary)) {
      const at = binary.fileOffset(fn.entry) ?? 0;
      assert.deepEqual([...bytes.subarray(at + 5, at + 7)], [0xf3, 0x90], 'pause');
      // Another instruction of two bytes that does nothing: the program still runs.
      bytes.set([0x66, 0x90], at + 5);
    }
    const altered = join(folder, 'altered');
    writeFileSync(altered, bytes);
    chmodSync(altered, 0o755);

    const plan = planProbes(openGoBinary(altered));
    assert.deepEqual(plan.sites, []);
    const outcomes = new Set(plan.functions.map((fn) => (fn.outcome === 'refused' ? fn.reason : fn.outcome)));
    const reason = 'nothing in it is known to compute the hash of the key';
    assert.deepEqual([...outcomes].sort(), ['delegates', reason]);
    const scanned = await mapscope(['scan', altered]);
    assert.match(scanned.stdout, new RegExp(`  runtime.mapaccess2: cannot be observed: ${reason}\n`));
    const { status, stderr } = await mapscope(['run', '--', altered, '-lookups', '10']);
    assert.equal(status, 3);
    assert.match(
      stderr,
      new RegExp(`No lookup function could be proven safe to probe: .*mapaccess1: ${reason}; `),
    );
  },
);
