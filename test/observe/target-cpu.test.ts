import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TargetCpu } from '../../src/observe/cost/target-cpu.ts';

/** A process whose clock the test sets; undefined: there is no such process any more. */
function scripted() {
  const state: { cpu: number | undefined; time: number } = { cpu: 5, time: 100 };
  const read = () => state.cpu ?? assert.fail('it has ended');
  return { state, cpu: new TargetCpu(1, () => state.time, read) };
}

test('CPU time counts from the start, and is that of this moment', () => {
  const { state, cpu } = scripted();
  Object.assign(state, { cpu: 7, time: 101 });
  assert.equal(cpu.seconds, 2);
});

test('of a process that has ended it is known when the parent says it, or little of its life was not seen', () => {
  const told = scripted();
  Object.assign(told.state, { cpu: undefined, time: 101 });
  told.cpu.ended(9);
  assert.equal(told.cpu.seconds, 4);

  const seen = scripted();
  Object.assign(seen.state, { cpu: 8, time: 120 });
  seen.cpu.read();
  Object.assign(seen.state, { cpu: undefined, time: 121 });
  assert.equal(seen.cpu.seconds, 3, 'a second of twenty is missing');
  Object.assign(seen.state, { time: 1000 });
  assert.equal(seen.cpu.seconds, 3, 'time goes on, but not for that process');
});

test('what was not seen is unknown, and not nothing', () => {
  const short = scripted();
  Object.assign(short.state, { cpu: undefined, time: 101 });
  assert.equal(short.cpu.seconds, null);
  assert.equal(short.cpu.read(), 0, 'differences of nothing are nothing');

  const blind = scripted();
  Object.assign(blind.state, { cpu: 8, time: 102 });
  blind.cpu.read();
  Object.assign(blind.state, { cpu: undefined, time: 103 });
  assert.equal(blind.cpu.seconds, null, 'a third of its life is missing');
});

test('of a process that is gone at once nothing is known, however coarse the clock', () => {
  const { state, cpu } = scripted();
  state.cpu = undefined;
  assert.equal(cpu.seconds, null);
  cpu.ended(5);
  assert.equal(cpu.seconds, 0, 'unless its parent says so');

  const never = new TargetCpu(
    1,
    () => 0,
    () => assert.fail('there is no such process'),
  );
  assert.equal(never.seconds, null);
});
