import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { summaryJson } from '../../src/report/json.ts';
import { summarize } from '../../src/report/summary/summarize.ts';
import { callSite, snapshot, TARGET } from '../model/fixtures.ts';

test('the text is the document, with each list of numbers on one line', () => {
  const summary = summarize(TARGET, 'all', snapshot([callSite(3)]));
  const text = summaryJson(summary);
  assert.deepEqual(JSON.parse(text), summary);
  assert.match(text, /"counts": \[0, 1, 1, 1, 0, /);
  assert.ok(text.endsWith('}\n'));
});

test('no name is changed on the way', () => {
  const list = summarize(TARGET, 'all', snapshot([callSite(1, { type: '[ 1, 2 ] [\n 3 \n]' })]));
  assert.deepEqual(JSON.parse(summaryJson(list)), list);
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('[', ']', '\n', ' ', '1', ',', '"', '\\', 'é') }),
      (type) => {
        const summary = summarize(TARGET, 'all', snapshot([callSite(1, { type })]));
        assert.deepEqual(JSON.parse(summaryJson(summary)), summary);
      },
    ),
  );
});
