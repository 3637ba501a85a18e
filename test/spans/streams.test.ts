import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import { Observation } from '../../src/observe/observation.ts';
import { SpanFollower } from '../../src/programs/span-follower.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

const STREAMS = join(import.meta.dirname, '../services/streams');
const LONG = { timeout: 300_000 };

/** The trace that each caller names (test/services/streams/client.go). */
const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** The service, observed, with its gRPC calls followed. */
async function observeStreams(t: TestContext) {
  const attach = t.mock.method(SpanFollower.prototype, 'attach');
  const child = spawn(await buildGo({ dir: STREAMS, version: 'local' }), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const observation = await Observation.start({
    ...opened(child.pid ?? assert.fail('it did not start')),
    mode: 'all',
    budget: 1,
    exemplars: { withoutTrace: true },
    followed: ['grpc'],
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await observation.stop();
  });
  await attach.mock.calls[0]?.result;
  const follower = attach.mock.calls[0]?.this as SpanFollower;

  const say = async (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`);
    return (await answers.next()).value ?? assert.fail('it has ended');
  };
  const candidates = async (): Promise<ExemplarCandidate[]> => {
    await observation.snapshot();
    return observation.drainCandidates().filter(({ callSite }) => /^main\.with/.test(callSite.function));
  };
  /** Calls the handlers of all streams that wait. @returns where lookups were made, with which trace, and on what */
  const handleAll = async () => {
    const seen = new Set<string>();
    let again = 0;
    for (let answer = ''; !answer.endsWith('last'); ) {
      answer = await say('handle');
      again += Number(answer.startsWith('again'));
      for (const { callSite, traceId } of await candidates()) {
        seen.add(`${callSite.function} ${traceId}`);
      }
    }
    return { seen: [...seen], again };
  };
  const end = async () => {
    child.stdin.end();
    await once(child, 'exit');
  };
  return { follower, say, handleAll, end };
}

test('a stream without a caller is not in the trace of one that was refused', LONG, async (t) => {
  const { say, handleAll, end } = await observeStreams(t);
  await say('callers');
  assert.deepEqual((await handleAll()).seen, [`main.withCaller ${TRACE}`]);
  let again = 0;
  for (let turn = 0; turn < 5; turn++) {
    await say('refused');
    await say('none');
    const handled = await handleAll();
    assert.deepEqual(handled.seen, ['main.withNone undefined']);
    again += handled.again;
  }
  assert.ok(again > 0, 'no transport had an address that another one had before');
  await end();
});

test('a stream without a caller is not in the trace of one from before a pause', LONG, async (t) => {
  const { follower, say, handleAll, end } = await observeStreams(t);
  let again = 0;
  for (let turn = 0; turn < 5; turn++) {
    // The headers of callers are seen, and what became of them is not;
    await say('callers');
    await follower.detach();
    await handleAll();
    // those of streams without a caller are not, and their handlers are.
    await say('none');
    await follower.attach();
    const handled = await handleAll();
    assert.deepEqual(handled.seen, ['main.withNone undefined']);
    again += handled.again;
  }
  assert.ok(again > 0, 'no transport had an address that another one had before');
  await end();
});
