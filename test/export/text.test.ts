import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  callSiteText,
  countOf,
  duration,
  percent,
  shortFunction,
  takesColor,
  truncateLeft,
  truncateRight,
} from '../../src/export/text.ts';

test('functions are shortened by the directories of their package only', () => {
  assert.equal(shortFunction('example.com/shop/cart.(*Store).Find'), 'cart.(*Store).Find');
  assert.equal(shortFunction('main.main'), 'main.main');
  assert.equal(
    shortFunction('a/b.F[go.shape.struct { X c/d.T }].func1'),
    'b.F[go.shape.struct { X c/d.T }].func1',
  );
});

test('a call site keeps file, line and function as long as there is room', () => {
  const site = { file: '/src/shop/cart/store.go', line: 42, function: 'example.com/shop/cart.Find' };
  assert.equal(callSiteText(site), '/src/shop/cart/store.go:42 example.com/shop/cart.Find');
  assert.equal(callSiteText(site, 40), '/src/shop/cart/store.go:42 cart.Find');
  assert.equal(callSiteText(site, 30), '…op/cart/store.go:42 cart.Find');
  assert.equal(callSiteText(site, 22), '…store.go:42 cart.Find');
  assert.equal(callSiteText(site, 18), 'store.go:42 ….Find');
  assert.equal(callSiteText(site, 8), 'store.g…');
  assert.equal(callSiteText({ ...site, line: 0 }), '/src/shop/cart/store.go example.com/shop/cart.Find');
  assert.equal(callSiteText({ file: '', line: 0, function: 'main.f' }), '? main.f');
});

test('nothing gets wider than asked for', () => {
  const text = fc.string({ unit: 'grapheme-composite' });
  fc.assert(
    fc.property(text, text, fc.nat(99_999), fc.integer({ min: 1, max: 60 }), (file, name, line, width) => {
      assert.ok([...callSiteText({ file, line, function: name }, width)].length <= width);
      assert.ok([...truncateLeft(name, width)].length <= width);
      assert.ok([...truncateRight(name, width)].length <= width);
    }),
  );
});

test('numbers', () => {
  assert.equal(countOf(1, 'lookup'), '1 lookup');
  assert.equal(countOf(0, 'lookup'), '0 lookups');
  assert.equal(countOf(1_234_567, 'lookup'), '1,234,567 lookups');
  assert.equal(percent(1, 3), '33.3');
  assert.equal(percent(0, 0), '-');
  assert.equal(duration(0.0421), '42 ms');
  assert.equal(duration(61.25), '61.3 s');
});

test('colours: a terminal that was not told otherwise', () => {
  assert.equal(takesColor({ isTTY: true }, {}), true);
  assert.equal(takesColor({}, {}), false);
  assert.equal(takesColor({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(takesColor({ isTTY: true }, { NO_COLOR: '' }), true);
  assert.equal(takesColor({ isTTY: true }, { TERM: 'dumb' }), false);
});
