import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservationMode, Overhead } from '../../src/model/snapshot.ts';
import { summarize } from '../../src/report/summary/summarize.ts';
import { estimateLines } from '../../src/report/table/estimate.ts';
import { callSite, snapshot, TARGET } from '../model/fixtures.ts';

function lines(overhead: Partial<Overhead>, mode: ObservationMode = 'windows', lookups = 100): string[] {
  const seen = snapshot(lookups > 0 ? [callSite(lookups, { estimatedLookups: 1_234_567 })] : []);
  return estimateLines(summarize(TARGET, mode, { ...seen, overhead: { ...seen.overhead, ...overhead } }));
}

test('an estimate is rounded, and says how far off it may be', () => {
  assert.deepEqual(lines({ relativeError: 0.12, underestimate: 0.02 }), [
    'About 1,200,000 lookups were made in all, give or take 12.0 %.',
  ]);
});

test('it has two ends where windows may have slowed the program down', () => {
  assert.deepEqual(lines({ relativeError: 0.02, underestimate: 0.75 }), [
    'At least 1,200,000 lookups were made in all, give or take 2.0 %, and up to 4,900,000 if the program does little else: windows slow it down.',
  ]);
  assert.deepEqual(lines({ relativeError: 0.02, underestimate: 1 }), [
    'At least 1,200,000 lookups were made in all, give or take 2.0 %. How many more is not known: decoding took nearly all of the CPU time of windows.',
  ]);
});

test('from too few windows there is none, and in mode all, or without lookups, none is needed', () => {
  assert.match(lines({ relativeError: null }).join(), /^How many lookups were made in all is not known/);
  assert.deepEqual(lines({}, 'all'), []);
  assert.deepEqual(lines({}, 'windows', 0), []);
});
