// A real program, observed as a user would: its page, live and in a file, shows what the report says.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readPageFile } from '../../../src/page/file.ts';
import { type Summary, summarySchema } from '../../../src/report/summary/schema.ts';
import { openTab, startChromium, texts } from '../../support/chromium.ts';
import { commandLine, mapscope } from '../../support/command.ts';
import { buildGo } from '../../support/go-toolchains.ts';
import { Service } from '../../support/service.ts';

const LIMIT = { timeout: 240_000 };

const steady = await buildGo({ dir: join(import.meta.dirname, '../../services/steady'), version: 'local' });
const folder = await mkdtemp(join(tmpdir(), 'mapscope-observed-'));
after(() => rm(folder, { recursive: true, force: true }));
const browser = await startChromium({ after: (end) => after(end) });

async function reportIn(path: string): Promise<Summary> {
  const [document] = readPageFile(await readFile(path, 'utf8'), path).documents;
  return summarySchema.parse(document?.summary);
}

/** The counts of the picture of probe lengths, with their sum at the end. */
async function shownIn(path: string): Promise<number[]> {
  const { tab, problems } = await openTab(browser, `${pathToFileURL(path).href}#span=0`);
  await tab.$eval('#heat-table', (details) => {
    (details as HTMLDetailsElement).open = true;
  });
  await tab.waitForSelector('#heat-table tbody td');
  const shown = await texts(tab, '#heat-table tbody td:nth-child(2)');
  assert.deepEqual(problems, []);
  return shown.map((text) => Number(text.replaceAll(',', '')));
}

function expectedOf({ callSites, observed }: Summary): number[] {
  const counts = callSites.map(({ probeLength }) => probeLength.counts);
  const sums = counts[0]?.map((_, i) => counts.reduce((sum, one) => sum + (one[i] ?? 0), 0)) ?? [];
  return [...sums, observed.lookups];
}

test('run: the page in a file shows every lookup of the report in it', LIMIT, async () => {
  const path = join(folder, 'run.html');
  const args = ['-duration', '3s', '-rate', '20000'];
  const { status, stderr } = await mapscope([
    'run',
    '--mode',
    'all',
    '--output',
    path,
    '--',
    steady,
    ...args,
  ]);
  assert.equal(status, 0, stderr);
  const summary = await reportIn(path);
  assert.ok(summary.observed.lookups > 10_000);
  assert.deepEqual(await shownIn(path), expectedOf(summary));
});

test('attach: the live page is there until the end, then the file', LIMIT, async (t) => {
  const service = Service.start(t, 'steady', [steady, '-rate', '50000']);
  await service.until(() => service.output.includes('ready') || undefined);
  const path = join(folder, 'attach.html');
  const args = [
    'attach',
    '--pid',
    String(service.pid),
    '--ui',
    '127.0.0.1:0',
    '--budget',
    '20%',
    '--output',
    path,
  ];
  const observer = Service.start(t, 'mapscope', commandLine(...args));
  const url = await observer.until(() => /The page is at (\S+)/.exec(observer.output)?.[1]);
  const { tab, requests } = await openTab(browser, `${url}#span=0`);
  await tab.waitForFunction(() => document.querySelectorAll('table.sites tbody tr[data-key]').length > 0);
  const [name = ''] = await texts(tab, 'table.sites tbody tr[data-key] .name');
  assert.match(name, /^main\.go:\d+$/);
  assert.match(
    (await texts(tab, '#facts'))[0] ?? '',
    new RegExp(`pid ${service.pid} · go1.*Swiss maps · sampled`),
  );
  for (const request of requests.filter((one) => !one.startsWith('data:'))) {
    assert.equal(new URL(request).host, new URL(url).host);
  }
  const response = await fetch(new URL('report.html', url));
  const saved = join(folder, 'saved.html');
  await writeFile(saved, Buffer.from(await response.arrayBuffer()));
  assert.ok((await shownIn(saved)).at(-1), 'what a visitor saves can be opened');
  assert.equal(await observer.stop(), 0);
  // A tab behind another is not drawn.
  await tab.bringToFront();
  await tab.waitForFunction(
    () => (document.querySelector('#status') as HTMLElement).dataset.kind === 'file',
    // Not each frame: a tab that was behind another has none for a while.
    { polling: 100 },
  );
  const summary = await reportIn(path);
  assert.deepEqual(await shownIn(path), expectedOf(summary));
});

test('report: pages become one, or the reports in them', LIMIT, async () => {
  const [first, second, both] = ['first.html', 'second.html', 'both.html'].map((name) => join(folder, name));
  for (const path of [first, second]) {
    const { status, stderr } = await mapscope([
      'run',
      '--mode',
      'all',
      '--output',
      `${path}`,
      '--',
      steady,
      '-duration',
      '1s',
    ]);
    assert.equal(status, 0, stderr);
  }
  assert.equal((await mapscope(['report', `${first}`, `${second}`, '--output', `${both}`])).status, 0);
  const { tab } = await openTab(browser, pathToFileURL(`${both}`).href);
  assert.equal((await texts(tab, '#target option')).length, 2);
  const { stdout } = await mapscope(['report', `${both}`, '--format', 'json']);
  const { targets } = JSON.parse(stdout);
  assert.deepEqual(targets, [await reportIn(`${first}`), await reportIn(`${second}`)]);
  const json = join(folder, 'both.json');
  await writeFile(json, stdout);
  assert.match((await mapscope(['report', json])).stdout, /lookups .*call site/);
  for (const [args, message] of [
    [[json, '--output', join(folder, 'no.html')], /has no history/],
    [[steady], /neither a page nor a JSON report/],
    [[join(folder, 'none.html')], /cannot be read/],
  ] as const) {
    const { status, stderr } = await mapscope(['report', ...args]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});

test('an address that cannot be is told before anything is observed', LIMIT, async (t) => {
  const service = Service.start(t, 'steady', [steady]);
  const attach = (...options: string[]) => mapscope(['attach', '--pid', String(service.pid), ...options]);
  for (const [options, message] of [
    [['--ui', 'nowhere'], /--ui must be HOST:PORT/],
    [['--ui', '192.0.2.1:80'], /The page cannot be served on 192\.0\.2\.1:80/],
    [['--trace-url', 'javascript:{trace_id}'], /--trace-url must be an http/],
    [['--trace-url', 'http://localhost/'], /contains \{trace_id\}/],
  ] as const) {
    const { status, stderr } = await attach(...options);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});
