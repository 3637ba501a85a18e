import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { callSiteText, shortFunction } from '../../src/base/call-site.ts';
import { countOf, duration, percent } from '../../src/base/text.ts';
import { truncateLeft, truncateMiddle, truncateRight, wrapped } from '../../src/base/width.ts';

test('functions are shortened by the directories of their package only', () => {
  assert.equal(shortFunction('example.com/shop/cart.(*Store).Find'), 'cart.(*Store).Find');
  assert.equal(shortFunction('main.main'), 'main.main');
  assert.equal(
    shortFunction('a/b.F[go.shape.struct { X c/d.T }].func1'),
    'b.F[go.shape.struct { X c/d.T }].func1',
  );
});

test('a call site keeps file, line and function as long as there is room', () => {
  const site = { file: '/src/shop/cart/store.go', line: 42, function: 'example.com/shop/cart.(*Store).Find' };
  assert.equal(callSiteText(site), '/src/shop/cart/store.go:42 (*Store).Find');
  assert.equal(callSiteText(site, 40), '/src/shop/cart/store.go:42 (*Store).Find');
  assert.equal(callSiteText(site, 34), '…/cart/store.go:42 (*Store).Find');
  assert.equal(callSiteText(site, 28), '…/store.go:42 (*Store).Find');
  assert.equal(callSiteText(site, 26), 'store.go:42 (*Store).Find');
  assert.equal(callSiteText(site, 22), 'store.go:42 Find');
  assert.equal(callSiteText(site, 15), 'store.go:42 F…d');
  assert.equal(callSiteText(site, 8), 'store.g…');
  assert.equal(callSiteText({ ...site, line: 0 }), '/src/shop/cart/store.go (*Store).Find');
  assert.equal(callSiteText({ file: '', line: 0, function: 'main.f' }), '? main.f');
});

test('the package is told once', () => {
  const text = (file: string, name: string) => callSiteText({ file, line: 1, function: name });
  assert.equal(
    text('net/http/server.go', 'net/http.(*ServeMux).Handler'),
    'net/http/server.go:1 (*ServeMux).Handler',
  );
  assert.equal(text('/src/shop/main.go', 'main.work'), '/src/shop/main.go:1 main.work');
  assert.equal(text('/src/main/main.go', 'main.work'), '/src/main/main.go:1 main.work');
  assert.equal(text('/mod/x/redis@v1.2.3/ring.go', 'x/redis.Get'), '/mod/x/redis@v1.2.3/ring.go:1 Get');
  assert.equal(
    text('/mod/x/redis/v9@v9.0.1/ring.go', 'x/redis/v9.Get'),
    '/mod/x/redis/v9@v9.0.1/ring.go:1 Get',
  );
  assert.equal(text('/mod/x/redis@v9.0.1/ring.go', 'x/redis/v9.Get'), '/mod/x/redis@v9.0.1/ring.go:1 Get');
  assert.equal(text('/y/yaml.v3/decode.go', 'gopkg.in/yaml%2ev3.Get'), '/y/yaml.v3/decode.go:1 Get');
  assert.equal(
    text('/elsewhere/a.go', 'x/cart.Find[go.shape.string]'),
    '/elsewhere/a.go:1 cart.Find[go.shape.string]',
  );
  assert.equal(text('/src/shop/cart/a.go', 'x/cart.F[a/b.T].func1'), '/src/shop/cart/a.go:1 F[a/b.T].func1');
});

test('nothing gets wider than asked for', () => {
  const text = fc.string({ unit: 'grapheme-composite' });
  fc.assert(
    fc.property(text, text, fc.nat(99_999), fc.integer({ min: 1, max: 60 }), (file, name, line, width) => {
      assert.ok(stringWidth(callSiteText({ file, line, function: name }, width)) <= width);
      assert.ok(stringWidth(truncateLeft(name, width)) <= width);
      assert.ok(stringWidth(truncateMiddle(name, width)) <= width);
      assert.ok(stringWidth(truncateRight(name, width)) <= width);
    }),
  );
});

test('characters that are two columns wide are counted so, and never cut in half', () => {
  assert.equal(truncateRight('地図地図', 8), '地図地図');
  assert.equal(truncateRight('地図地図', 7), '地図地…');
  assert.equal(truncateRight('地図地図', 6), '地図…');
  assert.equal(truncateLeft('地図地図', 6), '…地図');
  assert.equal(truncateLeft('go🗺️🗺️', 4), '…🗺️');
  assert.equal(truncateMiddle('abcdefg', 6), 'ab…efg');
  assert.equal(truncateMiddle('地図地図', 7), '地…地図');
  assert.equal(truncateMiddle('地図地図', 6), '地…図');
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

test('a sentence is broken at blanks, a word only where it has to be', () => {
  assert.deepEqual(wrapped('one two three', 13), ['one two three']);
  assert.deepEqual(wrapped('one two three', 12), ['one two', '  three']);
  assert.deepEqual(wrapped('one two three', 7), ['one two', '  three']);
  assert.deepEqual(wrapped('  one two three', 8), ['  one', '    two', '    thre', '    e']);
  assert.deepEqual(wrapped('a /path/of/a/file', 8), ['a', '  /path/', '  of/a/f', '  ile']);
  assert.deepEqual(wrapped('', 5), ['']);
});

test('what is wrapped fits, and nothing of it is lost', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 12, max: 60 }), (text, width) => {
      const lines = wrapped(text, width);
      assert.ok(lines.every((line) => stringWidth(line) <= width));
      assert.equal(lines.join('').replace(/ /g, ''), text.replace(/ /g, ''));
    }),
  );
});
