import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import { planReturns } from '../../src/plan/lookups/returns.ts';
import { findZeroValue, givesZeroValue, resultForNilMap } from '../../src/plan/lookups/zero-value.ts';
import { buildOracle, type Cell } from '../exactness/cells.ts';

const LONG = { timeout: 300_000 };
const RET = 0xc3;

const CELLS: readonly Cell[] = [
  { version: '1.17.13', flavor: 'default' },
  { version: '1.23.12', flavor: 'race' },
  { version: '1.24.13', flavor: 'pie' },
  { version: 'local', flavor: 'default' },
  { version: '1.27.4', flavor: 'pie' },
];

for (const cell of CELLS) {
  test(
    `Go ${cell.version}, ${cell.flavor}: the code tells runtime.zeroVal as the symbol table does`,
    LONG,
    async () => {
      const binary = openGoBinary(await buildOracle(cell));
      const plan = planProbes(binary);
      const symbol = binary.symbol('runtime.zeroVal')?.address;
      assert.ok(symbol !== undefined);
      for (const { name, entry, outcome } of plan.functions) {
        const fn = binary.functionAt(entry);
        if (outcome !== 'probed' || fn === undefined) {
          continue;
        }
        assert.equal(resultForNilMap(binary, fn), givesZeroValue(name) ? symbol : undefined, name);
      }
      assert.equal(findZeroValue(binary, plan), symbol);
    },
  );
}

for (const version of ['1.17.13', 'local', '1.27.4']) {
  test(`Go ${version}, stripped: it is found without a symbol table`, LONG, async () => {
    const binary = openGoBinary(await buildOracle({ version, flavor: 'stripped' }));
    const address = findZeroValue(binary, planProbes(binary));
    assert.equal(binary.symbol('runtime.zeroVal'), undefined);
    assert.ok(address !== undefined);
    const data = binary.segments().find((s) => address >= s.address && address < s.address + s.memorySize);
    assert.equal(data?.writable, true);
  });
}

test('every return of every probed function is found, and nothing else', LONG, async () => {
  const binary = openGoBinary(await buildOracle({ version: 'local', flavor: 'default' }));
  const plan = planProbes(binary);
  const returns = planReturns(binary, plan);
  for (const [index, { entry, outcome, name }] of plan.functions.entries()) {
    const own = returns.filter((site) => site.functionIndex === index);
    assert.equal(own.length > 0, outcome === 'probed', name);
    const fn = binary.functionAt(entry);
    assert.ok(fn !== undefined);
    for (const { address, bytes, fileOffset } of own) {
      assert.ok(address >= fn.entry && address < fn.end);
      assert.deepEqual([...bytes], [RET]);
      assert.equal(binary.fileOffset(address), fileOffset);
    }
    // In these functions nothing but an epilogue, with a nop at most, looks like one.
    const epilogues =
      Buffer.from(binary.code(fn))
        .toString('latin1')
        .match(/\x5d\x90?\xc3/g) ?? [];
    if (outcome === 'probed') {
      assert.equal(own.length, epilogues.length, name);
    }
  }
});
