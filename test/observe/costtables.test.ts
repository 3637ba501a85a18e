import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CostTables, type CountingProgram } from '../../src/programs/readers/cost-tables.ts';

/** Which tables have been emptied, and when. */
function tables({ filling }: { filling: boolean }) {
  const emptied: number[] = [];
  const clock = { millis: 1000 };
  let counting = 1;
  const program: CountingProgram = {
    // One scratch, which is free.
    kernel: {
      readSharedMap: () => Promise.resolve({ keys: Buffer.alloc(4), values: Buffer.alloc(8), count: 1 }),
    },
    get costTable() {
      return counting;
    },
    switchCostTables: () => {
      counting = 1 - counting;
      return 1 - counting;
    },
  };
  const table = {
    isFilling: (number: number) => Promise.resolve(filling && number === counting),
    empty: async (number: number) => void emptied.push(number),
  };
  return { emptied, clock, costs: new CostTables(program, [table], () => clock.millis) };
}

test('tables that do not fill are left alone for a minute', async () => {
  const { emptied, clock, costs } = tables({ filling: false });
  await costs.makeRoom();
  clock.millis += 59_000;
  await costs.makeRoom();
  assert.deepEqual(emptied, []);
  clock.millis += 1000;
  await costs.makeRoom();
  assert.deepEqual(emptied, [1], 'what they count might overflow');
  clock.millis += 59_000;
  await costs.makeRoom();
  assert.deepEqual(emptied, [1]);
  await costs.drain();
  assert.deepEqual(emptied, [1, 0], 'a read does not wait');
  clock.millis += 59_000;
  await costs.makeRoom();
  assert.deepEqual(emptied, [1, 0], 'a read counts, too');
});

test('tables that fill are emptied at once', async () => {
  const { emptied, costs } = tables({ filling: true });
  await costs.makeRoom();
  await costs.makeRoom();
  assert.deepEqual(emptied, [1, 0]);
});
