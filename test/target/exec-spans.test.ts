// A target that follows spans and executes itself: what the next image does is none of the observation's.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';
import { until } from '../support/until.ts';

const LONG = { timeout: 120_000 };

let program = '';
before(async () => {
  program = await buildGo({ dir: join(import.meta.dirname, '../services/spans'), version: 'local' });
});

interface Seen {
  readonly snapshot: Snapshot;
  /** `trace span` of each lookup that the images have told of, one image after the other. */
  readonly spans: readonly ReadonlySet<string>[];
}

/** Observes the program while it executes itself once for each argument, as one image. */
async function observe(context: { after(end: () => void): void }, args: readonly string[]): Promise<Seen> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => void child.kill('SIGKILL'));
  const said = collect(child);
  const observation = await Observation.start({
    ...opened(child.pid ?? assert.fail('it did not start')),
    mode: 'all',
    budget: 1,
    exemplars: { withoutTrace: true },
    followed: ['sdk'],
    spanCosts: true,
  });
  const ended = once(child, 'close');
  for (let image = 0; image <= args.length; image++) {
    await until(() => imagesIn(said.text).length === image + 1, `image ${image} runs`);
    child.stdin?.write('go\n');
  }
  const [status] = await ended;
  assert.equal(status, 0);
  return { snapshot: await endOf(observation), spans: imagesIn(said.text).map(spansIn) };
}

function collect({ stdout }: ChildProcess): { text: string } {
  const said = { text: '' };
  stdout?.setEncoding('utf8').on('data', (more: string) => {
    said.text += more;
  });
  return said;
}

/** What each image has said: all but the last end with a line of their own. */
function imagesIn(text: string): string[] {
  return text.split('executes\n');
}

function spansIn(text: string): Set<string> {
  return new Set(text.split('\n').map((line) => line.split(' ').slice(2).join(' ')));
}

/** Those of the program's own code: libraries make some more, not always as many. */
function ownLookups({ callSites }: Snapshot): number {
  const own = callSites.filter(({ callSite }) => callSite.function.startsWith('main.'));
  return own.reduce((sum, { lookups }) => sum + lookups, 0);
}

test('spans and lookups of the next image are neither followed nor counted', LONG, async (context) => {
  const alone = await observe(context, []);
  const begun = alone.snapshot.following?.events ?? assert.fail('nothing is followed');
  assert.ok((begun.spanStart ?? 0) > 1000 && (begun.goroutineStart ?? 0) > 1000, JSON.stringify(begun));

  const { snapshot, spans } = await observe(context, [program]);
  assert.deepEqual(snapshot.following?.events.spanStart, begun.spanStart);
  assert.equal(ownLookups(snapshot), ownLookups(alone.snapshot));
  assert.ok(snapshot.notDecoded > 0, 'the probes were in still');
  assert.deepEqual(snapshot.following?.lost, alone.snapshot.following?.lost);
  const [first, second] = spans;
  const kept = snapshot.spans?.kept.map(({ traceId, spanId }) => `${traceId} ${spanId}`) ?? [];
  assert.ok(kept.some((ids) => first?.has(ids)));
  assert.deepEqual(
    kept.filter((ids) => second?.has(ids)),
    [],
  );
});
