import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SiteBudget } from '../../src/observe/sites/site-budget.ts';
import { SiteChoice } from '../../src/observe/sites/site-choice.ts';

const lookups = (counts: Readonly<Record<string, number>>) => new Map(Object.entries(counts));

test('the busiest are kept apart, and where there is room for all, all are', () => {
  const choice = new SiteChoice<string>();
  const { admitted } = choice.update(lookups({ a: 1, b: 30, c: 20, d: 10 }), 2, 1);
  assert.deepEqual(admitted, ['b', 'c']);
  assert.deepEqual(choice.update(lookups({ a: 1, b: 30, c: 20, d: 10 }), 5, 1).admitted, ['d', 'a']);
  assert.equal(choice.size, 4);
});

test('a site that becomes busy late takes the place of one that is no longer busy', () => {
  const choice = new SiteChoice<string>();
  choice.update(lookups({ first: 1_000_000, other: 500, late: 1 }), 2, 1);
  assert.ok(!choice.isKept('late'));
  let late = 1;
  let minutes = 0;
  while (!choice.isKept('late')) {
    late += 1000;
    choice.update(lookups({ first: 1_000_000, other: 500 + minutes, late }), 2, 60);
    assert.ok(minutes++ < 3, 'it is busier than one of them at once');
  }
  assert.ok(choice.isKept('first'), 'it was far busier a moment ago');
  while (choice.isKept('first')) {
    late += 1000;
    choice.update(lookups({ first: 1_000_000, other: late, late }), 2, 60);
    assert.ok(minutes++ < 30);
  }
  assert.ok(choice.isKept('other') && choice.isKept('late'));
});

test('small differences move nobody', () => {
  const choice = new SiteChoice<string>();
  choice.update(lookups({ a: 100, b: 99 }), 1, 1);
  for (let i = 2; i < 50; i++) {
    const { admitted, evicted } = choice.update(lookups({ a: 100 * i, b: 150 * i }), 1, 10);
    assert.deepEqual([admitted, evicted], [[], []]);
  }
});

test('when there is room for fewer, the lightest go', () => {
  const choice = new SiteChoice<string>();
  choice.update(lookups({ a: 1, b: 30, c: 20, d: 10 }), 4, 1);
  assert.deepEqual(choice.update(lookups({ a: 2, b: 31, c: 21, d: 11 }), 2, 1).evicted, ['a', 'd']);
  assert.deepEqual(choice.update(lookups({ b: 31 }), 2, 1).evicted, ['c'], 'nor what is not there any more');
});

test('never more are kept apart than may be, and never fewer than there are and may be', () => {
  const steps = fc.array(
    fc.record({
      lookups: fc.dictionary(fc.constantFrom(...'abcdefgh'), fc.nat(1000)),
      most: fc.integer({ min: 1, max: 8 }),
      seconds: fc.nat(120),
    }),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const choice = new SiteChoice<string>();
      const totals = new Map<string, number>();
      const kept = new Set<string>();
      for (const step of all) {
        for (const [site, count] of Object.entries(step.lookups)) {
          totals.set(site, (totals.get(site) ?? 0) + count);
        }
        const { admitted, evicted } = choice.update(totals, step.most, step.seconds);
        for (const site of evicted) {
          assert.ok(kept.delete(site));
        }
        for (const site of admitted) {
          assert.ok(!kept.has(site));
          kept.add(site);
        }
        assert.equal(kept.size, Math.min(step.most, totals.size));
        assert.ok([...kept].every((site) => choice.isKept(site)));
      }
    }),
  );
});

test('targets share what there is for all of them, and nobody gets more than he needs', () => {
  const budget = new SiteBudget(100, 200);
  const [a, b, c] = [{}, {}, {}];
  assert.equal(budget.share(a, 10), 100, 'there is room for more');
  assert.equal(budget.share(b, 5000), 100);
  assert.equal(budget.share(c, 5000), 95);
  assert.equal(budget.share(b, 5000), 95);
  assert.equal(budget.share(a, 10), 95);
  budget.release(b);
  assert.equal(budget.share(c, 5000), 100);
  const many = Array.from({ length: 500 }, () => ({}));
  assert.ok(
    many.every((target) => budget.share(target, 1000) >= 1),
    'each has one',
  );
});

test('together they never keep more apart than there is for all', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { minLength: 1, maxLength: 50 }), (needs) => {
      const budget = new SiteBudget(1000);
      const targets = needs.map((need) => ({ need }));
      for (const target of targets) {
        budget.share(target, target.need);
      }
      const kept = targets.map((target) => Math.min(target.need, budget.share(target, target.need)));
      const most = Math.min(2000, kept.length * 1000);
      assert.ok(kept.reduce((sum, n) => sum + n, 0) <= most);
      const wanted = needs.reduce((sum, need) => sum + Math.min(1000, need), 0);
      assert.ok(
        kept.reduce((sum, n) => sum + n, 0) >= Math.min(wanted, most) - needs.length,
        'nothing lies idle',
      );
    }),
  );
});
