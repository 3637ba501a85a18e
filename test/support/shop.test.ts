import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { buildGo } from './go-toolchains.ts';
import { type LoadReport, runLoad, startShop, type TruthPiece } from './shop.ts';

const SHOP = join(import.meta.dirname, '../services/shop');
const LONG = { timeout: 600_000 };
const MODES = ['sdk', 'labels', 'none'] as const;

/** By step: how often it is done for one request to its endpoint, and how many lookups each time. */
const STEPS: Readonly<Record<string, readonly [endpoint: string, times: number, lookups: number]>> = {
  list: ['/catalog', 1, 64],
  quantities: ['/cart', 1, 20],
  limit: ['/checkout', 2, 16],
  coupon: ['/checkout', 2, 16],
  stock: ['/checkout', 1, 16],
  rate: ['/checkout', 1, 16],
  duty: ['/checkout', 3, 16],
  account: ['/checkout', 1, 16],
  bestseller: ['/recommend', 1, 16],
  remaining: ['/recommend', 1, 16],
  picture: ['/pool', 2, 32],
  tidy: ['/pool', 2, 4],
  quote: ['Shop/Price', 1, 1],
};

const OUTSIDE_OF_SPANS = new Set(['tidy', 'refresh']);

/** Steps in spans of their own, below that of the request; without the SDK, `account` has none. */
const CHILD_SPANS = new Set(['coupon', 'stock', 'duty', 'picture']);

function checkCounts(truth: readonly TruthPiece[], load: LoadReport): void {
  assert.equal(load.errors + load.missed, 0);
  for (const [step, [endpoint, times, lookups]] of Object.entries(STEPS)) {
    const requests = Object.entries(load.endpoints)
      .filter(([name]) => name.endsWith(` ${endpoint}`))
      .reduce((sum, [, one]) => sum + one.requests, 0);
    const pieces = truth.filter((piece) => piece.step === step);
    assert.ok(requests > 0 && pieces.length === requests * times, step);
    assert.ok(
      pieces.every((piece) => piece.endpoint === endpoint && piece.lookups === lookups),
      step,
    );
  }
}

function checkPieces(truth: readonly TruthPiece[]): void {
  const lines = new Map<string, Set<string>>();
  for (const { step, function: name, file, line, start, end } of truth) {
    lines.set(step, (lines.get(step) ?? new Set()).add(`${name} ${file}:${line}`));
    assert.ok(start <= end);
  }
  for (const [step, sites] of lines) {
    const [, name, file = '', line] = /^main\.\(\*\w+\)\.(\w+) (.*):(\d+)$/.exec([...sites].join()) ?? [];
    // A binary from the cache names the folder that it was first built in, which may be another clone's.
    const source = readFileSync(join(SHOP, basename(file)), 'utf8').split('\n')[Number(line) - 1] ?? '';
    assert.match(source, new RegExp(`^func \\(\\w+ \\*\\w+\\) ${name}\\(.*\\w\\[.*\\]`), step);
  }
}

function checkSpans(truth: readonly TruthPiece[], load: LoadReport, mode: (typeof MODES)[number]): void {
  for (const { step, traceId, spanId, sampled } of truth) {
    const outside = OUTSIDE_OF_SPANS.has(step);
    assert.match(traceId, outside ? /^$/ : /^[0-9a-f]{32}$/, step);
    assert.match(spanId, outside ? /^$/ : /^[0-9a-f]{16}$/, step);
    if (outside) {
      assert.equal(sampled, false);
    }
  }
  const traces = Map.groupBy(
    truth.filter(({ traceId }) => traceId !== ''),
    ({ traceId }) => traceId,
  );
  assert.equal(traces.size, load.requests);
  for (const pieces of traces.values()) {
    assert.equal(new Set(pieces.map(({ sampled }) => sampled)).size, 1);
    const own = pieces.filter(
      ({ step }) => mode !== 'none' && (CHILD_SPANS.has(step) || (step === 'account' && mode === 'sdk')),
    );
    const request = pieces.filter((piece) => !own.includes(piece));
    assert.ok(new Set(request.map(({ spanId }) => spanId)).size <= 1);
    // `coupon` comes twice in one span.
    assert.equal(
      new Set(own.map(({ spanId }) => spanId)).size,
      own.length - own.filter(({ step }) => step === 'coupon').length / 2,
    );
    assert.ok(!own.some(({ spanId }) => request.some((piece) => piece.spanId === spanId)));
  }
}

function checkGoroutines(truth: readonly TruthPiece[]): void {
  const of = (step: string) => new Set(truth.filter((p) => p.step === step).map((p) => p.goroutine));
  assert.equal(of('refresh').size, 1);
  assert.ok(of('picture').size <= 4);
  assert.deepEqual(of('picture'), of('tidy'));
  for (const pieces of Map.groupBy(truth, ({ traceId }) => traceId).values()) {
    if (pieces[0]?.endpoint !== '/checkout') {
      continue;
    }
    const goroutines = (...steps: string[]) =>
      new Set(pieces.filter(({ step }) => steps.includes(step)).map(({ goroutine }) => goroutine));
    assert.equal(goroutines('limit', 'coupon', 'stock').size, 1, 'the request has one goroutine');
    assert.equal(goroutines('limit', 'rate', 'duty', 'account').size, 1 + 1 + 3 + 1);
  }
}

for (const version of ['1.23.12', 'local', '1.27.4']) {
  for (const tracing of MODES) {
    test(`the shop knows what it did: Go ${version}, tracing ${tracing}`, LONG, async (context) => {
      const shop = await startShop(context, { version, tracing });
      const load = await runLoad(shop, { count: 440, seconds: 1, sample: 0.5 });
      const truth = await shop.stop();
      checkCounts(truth, load);
      checkPieces(truth);
      checkSpans(truth, load, tracing);
      checkGoroutines(truth);
      assert.equal(new Set(truth.filter(({ traceId }) => traceId).map(({ sampled }) => sampled)).size, 2);
    });
  }
}

test('without a header, the service begins the traces, if it has any', LONG, async (context) => {
  for (const tracing of MODES) {
    const shop = await startShop(context, { tracing, sample: 0 });
    const load = await runLoad(shop, { count: 22, seconds: 0.1, client: 'none' });
    const truth = await shop.stop();
    const traces = new Set(truth.map(({ traceId }) => traceId).filter((id) => id !== ''));
    assert.equal(traces.size, tracing === 'none' ? 0 : load.requests);
    assert.ok(truth.every(({ sampled }) => !sampled));
  }
});

test('a load of 2,000 requests per second is served', LONG, async (context) => {
  const shop = await startShop(context);
  const load = await runLoad(shop, { rate: 2000, seconds: 2 });
  assert.equal(load.requests, 4000);
  checkCounts(await shop.stop(), load);
});

test('the load counts what fails', LONG, async () => {
  const nobody = { http: '127.0.0.1:1', grpc: '' };
  const { requests, errors } = await runLoad(nobody, { count: 10, seconds: 0.1 });
  assert.deepEqual([requests, errors], [10, 10]);
});

test('wrong usage has status 2', LONG, async () => {
  const shop = await buildGo({ dir: SHOP, version: 'local' });
  const load = await buildGo({ dir: SHOP, package: './cmd/load', version: 'local' });
  assert.equal(spawnSync(shop, ['-sample', '2']).status, 2);
  const elsewhere = spawnSync(load, ['-http', '192.0.2.1:80'], { encoding: 'utf8' });
  assert.equal(elsewhere.status, 2);
  assert.match(elsewhere.stderr, /192\.0\.2\.1:80 is not an address of the loopback interface/);
});

test("the shop's own tests", LONG, async () => {
  const go = (...args: string[]) => promisify(execFile)('go', args, { cwd: SHOP });
  await go('vet', './...');
  await go('test', './...');
});
