// Snapshots that others ask for while an observation ends, and the little that the live line asks for.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ObservationProgress } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

const LIMIT = { timeout: 120_000 };
const program = await buildGo({ dir: join(import.meta.dirname, '../services/steady'), version: 'local' });

/** Observes a service at work. */
async function observe(t: TestContext): Promise<Observation> {
  const child = spawn(program, ['-rate', '20000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return await Observation.start({
    ...opened(child.pid ?? 0),
    mode: 'all',
    budget: 1,
    exemplars: { withoutTrace: true },
  });
}

/** Waits for more lookups than so many. */
async function lookupsAreSeen(observation: Observation, than = 0): Promise<ObservationProgress> {
  for (const end = performance.now() + 60_000; ; ) {
    const progress = await observation.progress();
    if (progress.observed > than) {
      return progress;
    }
    assert.ok(performance.now() < end, `${progress.observed} lookups`);
  }
}

test('snapshots that are under way or asked for while the observation ends are taken', LIMIT, async (t) => {
  const observation = await observe(t);
  await lookupsAreSeen(observation);
  const early = [observation.snapshot(), observation.snapshot()];
  const stopped = observation.stop();
  const late = observation.snapshot();
  const end = await stopped;
  const counts = (await Promise.all(early)).map(({ observed }) => observed);
  assert.ok(
    counts.every((count) => count > 0 && count <= end.observed),
    `${counts}, ${end.observed}`,
  );
  assert.equal(await late, end);
  assert.equal(await observation.snapshot(), end);
  assert.equal(await observation.stop(), end);
});

test('the live line is told the same as a snapshot, without one', LIMIT, async (t) => {
  const observation = await observe(t);
  const before = await observation.snapshot();
  observation.drainCandidates();
  const progress = await lookupsAreSeen(observation, before.observed + 1000);
  assert.ok(progress.seconds > before.seconds && progress.attachedSeconds > before.attachedSeconds);
  assert.deepEqual(observation.drainCandidates(), [], 'no cycle of candidates has ended');
  const end = await observation.stop();
  assert.ok(end.observed >= progress.observed);
  assert.equal(end.windows, progress.windows);
  assert.deepEqual(Object.keys(progress.dropped), Object.keys(end.dropped));
});

test('the count begins before the first probe is in', LIMIT, async (t) => {
  const observation = await observe(t);
  await lookupsAreSeen(observation);
  const { seconds, attachedSeconds, startTime, time } = await observation.snapshot();
  assert.ok(seconds > attachedSeconds, `${seconds} s, attached for ${attachedSeconds} s`);
  assert.ok(Math.abs(Number(time - startTime) / 1e9 - seconds) < 0.5 * seconds, `${time - startTime} ns`);
  await observation.stop();
});
