import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distribution, quantile, record } from '../../src/model/buckets.ts';
import { GROUPINGS, ORDERS } from '../../src/report/choices.ts';
import { summarize } from '../../src/report/summary/summarize.ts';
import { tableRows } from '../../src/report/table/rows.ts';
import { summaryTable } from '../../src/report/table/table.ts';
import { callSite, snapshot, TARGET } from '../model/fixtures.ts';

const at = (name: string, line: number, type: string, lookups: number, overrides = {}) =>
  callSite(lookups, {
    type,
    callSite: { function: name, file: `${name.split('.')[0]}.go`, line },
    ...overrides,
  });

const SITES = [
  at('a/cart.(*Store).Find', 1, 'map[string]int', 30),
  at('a/cart.(*Store).Find', 2, 'map[string]int', 20, { hit: false }),
  at('a/cart.Add', 3, 'map[int]bool', 25),
  at('a/user.Find', 4, 'map[int]bool', 7),
];
const summary = summarize(TARGET, 'all', snapshot(SITES));
const rowsBy = (by: (typeof GROUPINGS)[number], sort: (typeof ORDERS)[number] = 'lookups', filter?: string) =>
  tableRows(summary.callSites, { by, sort, filter });

test('whatever rows stand for, they hold every lookup once', () => {
  for (const by of GROUPINGS) {
    for (const sort of ORDERS) {
      const rows = rowsBy(by, sort);
      for (const value of ['lookups', 'hits', 'misses'] as const) {
        const sum = rows.reduce((total, row) => total + row[value], 0);
        assert.equal(sum, summary.observed[value], `${by} ${sort} ${value}`);
      }
      assert.equal(
        rows.reduce((total, row) => total + row.sites.length, 0),
        summary.callSites.length,
      );
    }
  }
});

test('rows stand for types, functions or packages', () => {
  assert.deepEqual(
    rowsBy('type').map(({ lookups, sites }) => [sites[0]?.type, lookups]),
    [
      ['map[string]int', 50],
      ['map[int]bool', 32],
    ],
  );
  assert.deepEqual(
    rowsBy('function').map(({ lookups }) => lookups),
    [50, 25, 7],
  );
  assert.deepEqual(
    rowsBy('package').map(({ lookups }) => lookups),
    [75, 7],
  );
});

test('a part of the type, the function or the file chooses', () => {
  const lookups = (filter: string) => rowsBy('site', 'lookups', filter).map((row) => row.lookups);
  assert.deepEqual(lookups('STORE'), [30, 20]);
  assert.deepEqual(lookups('int]bool'), [25, 7]);
  assert.deepEqual(lookups('.go:3'), [25]);
  assert.deepEqual(lookups('nothing'), []);
  const text = summaryTable(summary, { filter: 'nothing' });
  assert.match(text, /^None of 4 call sites has "nothing" in its type, function or file\.$/m);
  assert.match(summaryTable(summary, { filter: 'cart' }), /^All 3 call sites with "cart" are shown\.$/m);
});

test('misses come first when they are asked for', () => {
  assert.equal(rowsBy('site', 'misses')[0]?.misses, 20);
});

test('a table of packages tells how many call sites each has', () => {
  const [, , head = '', first = ''] = summaryTable(summary, { by: 'package' }).split('\n');
  assert.match(head, /sites {2}package$/);
  assert.match(first, / 3 {2}a\/cart$/);
});

test('what is remarkable about a map stands below its row', () => {
  const largest = { entries: 100, buckets: 16, overflowBuckets: 0, tombstones: 0 };
  const note = (overrides: object) => {
    const text = summaryTable(
      summarize(TARGET, 'all', snapshot([at('main.f', 1, 'map[int]int', 200, overrides)])),
    );
    return /^ {2}\^ (.*)$/m.exec(text)?.[1];
  };
  assert.equal(note({ largest }), undefined);
  assert.equal(note({ largest: { ...largest, tombstones: 9 } }), undefined);
  assert.equal(
    note({ largest: { ...largest, tombstones: 45 } }),
    '45 tombstones in the table of the largest map',
  );
  assert.equal(note({ largest: { ...largest, overflowBuckets: 8 } }), '8 overflow buckets beside 16');
  assert.equal(note({ largest, growing: 50 }), '25.0 % of lookups while it grew');
});

test('a quantile is exact where a bucket holds one number, else at most the bound or the maximum', () => {
  const bounds = [0, 1, 2, 4, 8];
  const of = (...values: number[]) => {
    const into = distribution(bounds);
    for (const value of values) {
      record(into, value);
    }
    return into;
  };
  assert.deepEqual(quantile(of(1, 1, 1, 2), 0.75), { value: 1, isExact: true });
  assert.deepEqual(quantile(of(1, 1, 1, 2), 0.99), { value: 2, isExact: true });
  assert.deepEqual(quantile(of(0, 0, 1), 0.5), { value: 0, isExact: true });
  assert.deepEqual(quantile(of(1, 3), 0.99), { value: 3, isExact: false });
  assert.deepEqual(quantile(of(3, 8, 8), 0.3), { value: 4, isExact: false });
  assert.deepEqual(quantile(of(1, 100), 0.99), { value: 100, isExact: false });
});
