import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGoBinary } from '../../src/gobinary/index.ts';
import {
  BUNDLERS,
  CALLS,
  changed,
  described,
  dwarfOffset,
  followed,
  LOOKUPS,
  NEWEST,
  open,
  PIE,
  planOf,
  SHOP,
  STRIPPED,
  UNOPTIMISED,
} from './binaries.ts';

const LONG = { timeout: 600_000 };
const SPAN = 'go.opentelemetry.io/otel/sdk/trace.recordingSpan';
const CONTEXT = 'go.opentelemetry.io/otel/trace.SpanContext';
const START = 'go.opentelemetry.io/otel/sdk/trace.(*recordingSpan).runtimeTrace';

for (const [dir, version, libraries] of [
  [CALLS, '1.20.14', []],
  [SHOP, '1.23.12', []],
  [SHOP, 'local', []],
  [SHOP, '1.27.4', []],
  [CALLS, '1.27.4', NEWEST],
] as const) {
  test(`spans of the SDK, Go ${version} ${libraries}`, LONG, async () => {
    const binary = await open(dir, version, libraries);
    const { sites, offsets } = followed(binary, 'sdk');
    assert.deepEqual(described(sites), [
      `spanStart ${START} span=0`,
      'spanEnd go.opentelemetry.io/otel/sdk/trace.(*recordingSpan).End span=0',
    ]);
    const within = (member: string) => dwarfOffset(binary, [SPAN, 'spanContext'], [CONTEXT, member]);
    assert.deepEqual(offsets, {
      traceId: within('traceID'),
      spanId: within('spanID'),
      traceFlags: within('traceFlags'),
    });
    const more = dir === CALLS ? [PIE, UNOPTIMISED, [...STRIPPED, ...PIE]] : [];
    for (const flags of [STRIPPED, ...more]) {
      const other = followed(await open(dir, version, [...libraries, ...flags]), 'sdk');
      assert.deepEqual(described(other.sites), described(sites), flags.join());
      assert.deepEqual(other.offsets, offsets, flags.join());
    }
  });
}

test('programs without the SDK', LONG, async () => {
  const programs = [
    await open(LOOKUPS, '1.17.13'),
    await open(LOOKUPS, '1.27.4'),
    ...BUNDLERS.map((path) => openGoBinary(path)),
  ];
  for (const binary of programs) {
    assert.deepEqual(planOf(binary, 'sdk'), { source: 'sdk', outcome: 'absent' });
  }
});

test('a start whose argument is overwritten before an emulated instruction is refused', LONG, async () => {
  const binary = await open(SHOP, '1.27.4');
  // xor %eax,%eax; xchg %ax,%ax instead of cmp 0x10(%r14),%rsp
  const overwritten = changed(binary, START, {
    at: 0,
    from: [0x49, 0x3b, 0x66, 0x10],
    to: [0x31, 0xc0, 0x66, 0x90],
  });
  const plan = planOf(overwritten, 'sdk');
  assert.deepEqual(plan, {
    source: 'sdk',
    outcome: 'refused',
    reason: `${START} has no instruction that the kernel emulates before its arguments are gone`,
  });
});

test('an instruction that something jumps to is not taken for one that is executed once', LONG, async () => {
  const binary = await open(SHOP, '1.27.4');
  const [start] = followed(binary, 'sdk').sites;
  const fn = binary.functionsNamed(START)[0];
  assert.ok(start && fn && !start.repeats);
  // The jump back to the entry, at the end of the function, leads to the site instead.
  const jump = fn.end - 5;
  const to = (target: number) => {
    const bytes = Buffer.alloc(5, 0xe9);
    bytes.writeInt32LE(target - fn.end, 1);
    return [...bytes];
  };
  const jumping = changed(binary, START, {
    at: jump - fn.entry,
    from: to(fn.entry),
    to: to(start.address),
  });
  const plan = planOf(jumping, 'sdk');
  assert.ok(plan.outcome === 'followed');
  assert.ok(plan.sites[0]?.repeats && plan.sites[0].address < start.address);
});
