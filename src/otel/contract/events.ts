import { ATTRIBUTES, EXEMPLAR_ATTRIBUTES } from './attribute-names.ts';

/*
 * The event contract: every log record that mapscope exports, in one place. Records are built from these entries
 * (spike-record.ts), and the part of docs/metrics.md about them is generated from them.
 */

/** One spike: a lookup whose probe length or key comparisons were above a limit. */
export const SPIKE_EVENT = {
  name: 'gomap.lookup.spike',
  description:
    'A lookup that visited more buckets or groups, or compared more keys, than a limit allows. The record carries the trace ' +
    'id and the span id of the goroutine, so that trace backends show it with the span.',
} as const;

/** Attributes of a spike. All are whole numbers, apart from names. */
export const SPIKE_ATTRIBUTES = {
  type: ATTRIBUTES.type,
  result: ATTRIBUTES.result,
  functionName: ATTRIBUTES.functionName,
  filePath: ATTRIBUTES.filePath,
  lineNumber: ATTRIBUTES.lineNumber,
  goroutine: EXEMPLAR_ATTRIBUTES.goroutine,
  parentGoroutine: EXEMPLAR_ATTRIBUTES.parentGoroutine,
  probeLength: {
    name: 'gomap.lookup.probe_length',
    description: 'Buckets (classic maps) or groups (Swiss maps) visited, as in the metric of that name.',
  },
  probeLengthLimit: {
    name: 'gomap.spike.probe_length_limit',
    description: 'The limit: a lookup at or below it is no spike.',
  },
  keyComparisons: {
    name: 'gomap.lookup.key_comparisons',
    description: 'Full key compares made, as in the metric of that name.',
  },
  keyComparisonsLimit: {
    name: 'gomap.spike.key_comparisons_limit',
    description: 'The limit: a lookup at or below it is no spike.',
  },
  suppressed: {
    name: 'gomap.spike.suppressed',
    description:
      'Spikes of the same call site, type and result that were dropped since the previous record; absent when there are ' +
      'none.',
  },
  entries: { name: 'gomap.map.entries', description: 'Entries of the map at that moment.' },
  buckets: {
    name: 'gomap.map.buckets',
    description: 'Its buckets; for Swiss maps, here and below, groups of the table visited.',
  },
  homeBucket: {
    name: 'gomap.map.home_bucket',
    description: 'Number of the bucket or group where the hash sent the key.',
  },
  slots: { name: 'gomap.map.slots', description: 'Its slots, without those of overflow buckets.' },
  usedSlots: {
    name: 'gomap.map.used_slots',
    description:
      'Entries in them; for classic maps entries in overflow buckets count too. Divided by the slots: the load factor.',
  },
  overflowBuckets: { name: 'gomap.map.overflow_buckets', description: 'Classic maps only.' },
  growing: {
    name: 'gomap.map.growing',
    description: 'Whether it was moving its entries to a larger table. Classic maps only.',
  },
  tombstones: {
    name: 'gomap.map.tombstones',
    description: 'Slots of deleted entries not yet reusable. Swiss maps only.',
  },
} as const;
