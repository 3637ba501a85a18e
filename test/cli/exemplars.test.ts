import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addon } from '../../src/kernel/addon.ts';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import { DEFAULT_LABELS } from '../../src/model/trace-sources.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

const LONG = { timeout: 300_000 };
/** Both kinds of labels, and each layout of the runtime's structures. */
const VERSIONS = ['1.18.10', '1.21.13', '1.23.12', '1.24.13', '1.25.9', 'local', '1.27.4'];

/** Observes test/services/labels and collects the candidates for exemplars of many short cycles. */
async function candidatesOf(version: string, withoutTrace: boolean): Promise<ExemplarCandidate[]> {
  const path = await buildGo({
    dir: fileURLToPath(new URL('../services/labels', import.meta.url)),
    version,
  });
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const pid = addon.spawnStopped({ file: path, args: [path, '-requests', '3000'], env });
  const observation = await Observation.start({
    ...opened(pid),
    mode: 'all',
    budget: 1,
    exemplars: { withoutTrace },
    labels: DEFAULT_LABELS,
  });
  const candidates: ExemplarCandidate[] = [];
  let ended = false;
  const exit = addon.waitExit(pid).then(() => {
    ended = true;
  });
  addon.resume(pid);
  while (!ended) {
    await observation.snapshot();
    candidates.push(...observation.drainCandidates());
  }
  await exit;
  await endOf(observation);
  candidates.push(...observation.drainCandidates());
  return candidates;
}

for (const version of VERSIONS) {
  test(`Go ${version}: labels give each lookup its own trace, and only its own`, LONG, async () => {
    const candidates = await candidatesOf(version, true);
    const at = (name: string) => candidates.filter((c) => c.callSite.function === `main.${name}`);
    const [inRequest, inChild, outside] = [at('lookUpInRequest'), at('lookUpInChild'), at('lookUpOutside')];
    assert.ok(
      inRequest.length > 20 && inChild.length > 20 && outside.length > 20,
      `${candidates.length} candidates`,
    );
    for (const { traceId, spanId, goroutine } of inRequest) {
      assert.equal(traceId, goroutine.toString(16).padStart(32, '0'));
      assert.equal(spanId, goroutine.toString(16).padStart(16, '0'));
    }
    for (const { traceId, goroutine, parentGoroutine } of inChild) {
      assert.notEqual(traceId, goroutine.toString(16).padStart(32, '0'));
      // From Go 1.21 a goroutine knows who started it.
      if (parentGoroutine !== undefined) {
        assert.equal(traceId, parentGoroutine.toString(16).padStart(32, '0'));
      } else {
        assert.match(version, /^1\.(1|20)/);
      }
    }
    for (const { traceId, goroutine } of outside) {
      assert.equal(traceId, undefined);
      assert.equal(goroutine, 1, 'the main goroutine');
    }
  });
}

test('without a trace there is no candidate, unless it is asked for', LONG, async () => {
  const candidates = await candidatesOf('local', false);
  assert.ok(candidates.length > 20);
  assert.ok(candidates.every((c) => c.traceId !== undefined));
});
