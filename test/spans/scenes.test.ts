import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

const SPANS = join(import.meta.dirname, '../services/spans');
const LONG = { timeout: 300_000 };

/** Places in the program (test/services/spans/scenes.go). */
const PLACES = [
  ...['beforeAll', 'inOuter', 'inInner', 'backInOuter', 'afterAll'],
  ...['inChild', 'inGreatGrandchild', 'inChildOfEnded', 'afterItsSpan'],
  ...['inHandedOver', 'afterHandedOver', 'inDeepest', 'inUnsampled', 'inJob', 'betweenJobs'],
];

/** Twelve spans that have ended are around this place: more than are passed over, so it may seem to be in none. */
const HALF_WAY = 'halfWayOut';

async function run(version: string) {
  const exe = await buildGo({ dir: SPANS, version });
  const child = spawn(exe, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const said = text(child.stdout);
  const observation = await Observation.start({
    ...opened(child.pid ?? assert.fail('it did not start')),
    mode: 'all',
    budget: 1,
    exemplars: { withoutTrace: true },
    followed: ['sdk'],
  });
  const candidates: ExemplarCandidate[] = [];
  child.stdin.end('go\n');
  while (child.exitCode === null) {
    await observation.snapshot();
    candidates.push(...observation.drainCandidates());
  }
  const [status] = await ended;
  assert.equal(status, 0);
  await endOf(observation);
  candidates.push(...observation.drainCandidates());
  assert.deepEqual(observation.warnings, []);
  return { candidates, truth: truthOf(await said) };
}

/** The ids, as `trace span`, in which a goroutine looked keys up at a place. */
function truthOf(said: string): Map<string, Set<string>> {
  const truth = new Map<string, Set<string>>();
  for (const line of said.trimEnd().split('\n')) {
    const [place, goroutine, ...ids] = line.split(' ');
    const key = `${place} ${goroutine}`;
    truth.set(key, (truth.get(key) ?? new Set()).add(ids.join(' ')));
  }
  return truth;
}

/** A place is a function of its own, so that its lookups are a call site. */
const placeOf = ({ callSite }: ExemplarCandidate) => callSite.function.replace(/^main\./, '');

for (const version of ['1.20.14', '1.23.12', 'local', '1.27.4']) {
  test(`Go ${version}: lookups are in the spans that the program says`, LONG, async () => {
    const { candidates, truth } = await run(version);
    const seen = new Map<string, number>();
    for (const candidate of candidates) {
      const { traceId = '-', spanId = '-', goroutine, sampled } = candidate;
      const place = placeOf(candidate);
      const expected = truth.get(`${place} ${goroutine}`);
      if (expected === undefined) {
        continue;
      }
      seen.set(place, (seen.get(place) ?? 0) + 1);
      const ids = `${traceId} ${spanId}`;
      if (place === HALF_WAY && ids === '- -') {
        continue;
      }
      assert.ok(expected.has(ids), `${place} of ${goroutine}: ${ids}, not ${[...expected]}`);
      assert.equal(sampled, ids === '- -' ? undefined : place !== 'inUnsampled', place);
    }
    for (const place of PLACES) {
      assert.ok((seen.get(place) ?? 0) > 5, `${place}: ${seen.get(place)}`);
    }
  });
}
