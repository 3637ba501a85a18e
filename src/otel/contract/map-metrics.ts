import { COUNT_BOUNDS, RATIO_BOUNDS } from '../../model/buckets.ts';
import { counter, gauge, histogram, SITE, SITE_AND_RESULT } from './metric.ts';

/** Facts about the target's maps, by call site and map type. */
export const MAP_METRICS = {
  probeLength: histogram(
    'gomap.lookup.probe_length',
    '{bucket}',
    'Buckets (classic maps: the home bucket and its overflow chain) or groups (Swiss maps) that a lookup visited, at least 1.',
    { bounds: COUNT_BOUNDS, exemplars: true },
  ),
  keyComparisons: histogram(
    'gomap.lookup.key_comparisons',
    '{comparison}',
    'Full key compares that a lookup made.',
    { bounds: COUNT_BOUNDS, exemplars: true },
  ),
  homePosition: histogram(
    'gomap.lookup.home_position',
    '1',
    'Where the hash sent the key: home bucket or group divided by their number. Even over [0, 1) unless hashes are skewed.',
    { bounds: RATIO_BOUNDS, integer: false },
  ),
  loadFactor: histogram(
    'gomap.lookup.load_factor',
    '1',
    'Entries divided by slots of the map at the time of the lookup.',
    { bounds: RATIO_BOUNDS, integer: false },
  ),
  lookups: counter(
    'gomap.lookups',
    '{lookup}',
    'Lookups seen while probe sites were attached: sampled counts, not scaled.',
    SITE_AND_RESULT,
  ),
  estimatedLookups: counter(
    'gomap.lookups.estimated',
    '{lookup}',
    'Lookups made, estimated: those seen between two snapshots, scaled by the time passed over the time attached.',
    SITE_AND_RESULT,
    { integer: false },
  ),
  growing: counter(
    'gomap.growing',
    '{lookup}',
    'Lookups made while the map was moving its entries to a larger table.',
    SITE_AND_RESULT,
    { only: 'classic' },
  ),
  entries: gauge(
    'gomap.entries',
    '{entry}',
    'Entries of the largest map that was looked into since the export before; absent when none was.',
    SITE,
  ),
  buckets: gauge(
    'gomap.buckets',
    '{bucket}',
    'Buckets of that map; Swiss maps: groups of the table visited.',
    SITE,
  ),
  overflowBuckets: gauge(
    'gomap.overflow_buckets',
    '{bucket}',
    'Overflow buckets of the largest map since the export before.',
    SITE,
    { only: 'classic' },
  ),
  tombstones: gauge(
    'gomap.tombstones',
    '{slot}',
    'Slots of deleted entries not yet reusable, in the table visited of the largest map since the export before.',
    SITE,
    { only: 'swiss' },
  ),
  directory: gauge(
    'gomap.directory',
    '{table}',
    'Places for tables in the directory of the largest map since the export before; 0 of a map of one group.',
    SITE,
    { only: 'swiss' },
  ),
  latestEntries: gauge(
    'gomap.latest.entries',
    '{entry}',
    'Entries of the map that was looked into last.',
    SITE,
  ),
  latestBuckets: gauge(
    'gomap.latest.buckets',
    '{bucket}',
    'Buckets of the map that was looked into last; Swiss maps: groups of the table visited.',
    SITE,
  ),
  latestOverflowBuckets: gauge(
    'gomap.latest.overflow_buckets',
    '{bucket}',
    'Overflow buckets of the map that was looked into last.',
    SITE,
    { only: 'classic' },
  ),
  latestTombstones: gauge(
    'gomap.latest.tombstones',
    '{slot}',
    'Slots of deleted entries not yet reusable, in the table visited of the map that was looked into last.',
    SITE,
    { only: 'swiss' },
  ),
  latestDirectory: gauge(
    'gomap.latest.directory',
    '{table}',
    'Places for tables in the directory of the map that was looked into last; 0 of a map of one group.',
    SITE,
    { only: 'swiss' },
  ),
};
