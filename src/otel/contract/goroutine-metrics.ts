import { COUNT_BOUNDS } from '../../model/buckets.ts';
import type { AttributeKey } from './attribute-names.ts';
import { histogram } from './metric.ts';

const GOROUTINE: readonly AttributeKey[] = ['goroutine', 'parentGoroutine'];

/** The same lookups by the goroutine that made them, where that is asked for: `--per-goroutine`. */
export const GOROUTINE_METRICS = {
  probeLength: histogram(
    'gomap.goroutine.lookup.probe_length',
    '{bucket}',
    'Buckets or groups that the lookups of a goroutine visited, as `gomap.lookup.probe_length`.',
    { bounds: COUNT_BOUNDS, attributes: GOROUTINE },
  ),
  keyComparisons: histogram(
    'gomap.goroutine.lookup.key_comparisons',
    '{comparison}',
    'Full key compares that the lookups of a goroutine made.',
    { bounds: COUNT_BOUNDS, attributes: GOROUTINE },
  ),
};
