import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { KEY_COMPARISONS, PROBE_LENGTH } from '../export/candidates.ts';
import { collectorBinary } from './build.ts';
import { AGGREGATION, exported, LENGTHS, TEMPORALITY } from './exported.ts';
import { metricNamed } from './otlp-json.ts';

const LONG = { timeout: 120_000 };

before(() => collectorBinary(), { timeout: 1_800_000 });

test(
  'exponential histograms: the counts of the kernel, at the places that are documented',
  LONG,
  async (context) => {
    for (const temporality of ['cumulative', 'delta']) {
      const exports = await exported(context, [[], []], {
        [TEMPORALITY]: temporality,
        [AGGREGATION]: 'base2_exponential_bucket_histogram',
      });
      exports.forEach((collected, index) => {
        const times = temporality === 'delta' ? 1 : index + 1;
        const [point] = metricNamed(collected, PROBE_LENGTH)?.exponentialHistogram?.dataPoints ?? [];
        assert.equal(point?.scale, 3);
        assert.equal(point.zeroCount, 0);
        assert.equal(point.count, times * LENGTHS.length);
        assert.equal(point.sum, times * LENGTHS.reduce((sum, length) => sum + length, 0));
        const places = point.positive.bucketCounts.flatMap((count, place) =>
          count === 0 ? [] : [[point.positive.offset + place, count / times]],
        );
        // 1, 2, 3, 10 (for 9 and 10), 12 (for 11), 32 (for 30), 512 (for 500), 1025 (for 5000).
        assert.deepEqual(places, [
          [-1, 1],
          [7, 2],
          [12, 1],
          [26, 2],
          [28, 1],
          [39, 1],
          [71, 1],
          [80, 1],
        ]);
        assert.deepEqual(point.negative.bucketCounts, []);
      });
      const [first] = metricNamed(exports[0], KEY_COMPARISONS)?.exponentialHistogram?.dataPoints ?? [];
      assert.deepEqual([first?.zeroCount, first?.positive.bucketCounts], [1, [9]]);
      assert.ok(metricNamed(exports[0], 'gomap.lookup.load_factor')?.histogram !== undefined);
    }
  },
);
