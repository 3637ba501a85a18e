import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SPIKE_ATTRIBUTES, SPIKE_EVENT } from '../../src/otel/contract/events.ts';
import {
  FOLLOWING_METRICS,
  GOROUTINE_METRICS,
  MAP_METRICS,
  type MetricContract,
  SELF_METRICS,
  SPIKE_METRICS,
} from '../../src/otel/contract/metrics.ts';

const ALL: readonly MetricContract[] = [
  ...Object.values(MAP_METRICS),
  ...Object.values(GOROUTINE_METRICS),
  ...Object.values(SELF_METRICS),
  ...Object.values(SPIKE_METRICS),
  ...Object.values(FOLLOWING_METRICS),
];

test('the metrics of the contract are there, with kind and unit', () => {
  assert.deepEqual(
    Object.values(MAP_METRICS).map(({ name, kind, unit }) => [name, kind, unit]),
    [
      ['gomap.lookup.probe_length', 'histogram', '{bucket}'],
      ['gomap.lookup.key_comparisons', 'histogram', '{comparison}'],
      ['gomap.lookup.home_position', 'histogram', '1'],
      ['gomap.lookup.load_factor', 'histogram', '1'],
      ['gomap.lookups', 'counter', '{lookup}'],
      ['gomap.lookups.estimated', 'counter', '{lookup}'],
      ['gomap.growing', 'counter', '{lookup}'],
      ['gomap.entries', 'gauge', '{entry}'],
      ['gomap.buckets', 'gauge', '{bucket}'],
      ['gomap.overflow_buckets', 'gauge', '{bucket}'],
      ['gomap.tombstones', 'gauge', '{slot}'],
      ['gomap.directory', 'gauge', '{table}'],
      ['gomap.latest.entries', 'gauge', '{entry}'],
      ['gomap.latest.buckets', 'gauge', '{bucket}'],
      ['gomap.latest.overflow_buckets', 'gauge', '{bucket}'],
      ['gomap.latest.tombstones', 'gauge', '{slot}'],
      ['gomap.latest.directory', 'gauge', '{table}'],
    ],
  );
});

test('names and units follow the naming rules', () => {
  assert.equal(new Set(ALL.map(({ name }) => name)).size, ALL.length);
  for (const { name, unit, kind, bounds } of ALL) {
    assert.match(name, /^(gomap|mapscope)(\.[a-z]+(_[a-z]+)*)+$/);
    assert.ok(!name.endsWith('_total') && !name.endsWith('.total'), name);
    assert.match(unit, /^(\{[a-z]+\}|1|s)$/);
    assert.equal(bounds !== undefined, kind === 'histogram', name);
  }
});

test('names of events and of their attributes follow the naming rules', () => {
  const names = Object.values(SPIKE_ATTRIBUTES).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of [SPIKE_EVENT.name, ...names]) {
    assert.match(name, /^(gomap|code)(\.[a-z]+(_[a-z]+)*)+$/);
  }
});
