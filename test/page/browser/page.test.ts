// The page in a real Chromium: it shows what the JSON says, loads nothing from elsewhere, and can be used by anybody.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Page as Tab } from 'puppeteer-core';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { readPageFile } from '../../../src/page/file.ts';
import { Page } from '../../../src/page/page.ts';
import type { Summary } from '../../../src/report/summary/schema.ts';
import { summarize } from '../../../src/report/summary/summarize.ts';
import { TARGET } from '../../model/fixtures.ts';
import { openTab, seriousProblems, startChromium, texts } from '../../support/chromium.ts';
import { serve, take } from '../served.ts';
import { Observed } from '../snapshots.ts';

const LIMIT = { timeout: 180_000 };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const browser = await startChromium({ after: (end) => after(end) });
const folder = await mkdtemp(join(tmpdir(), 'mapscope-page-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Two minutes: site 3 walks far from the second one on; ten seconds are without a window. */
function* observation(observed = new Observed(), seconds = 120): Generator<Snapshot> {
  for (let second = 0; second < seconds; second++) {
    const isDark = second >= 40 && second < 50;
    const far = second >= seconds / 2 ? 40 : 1;
    yield observed.step({
      window: !isDark,
      lookups: isDark
        ? []
        : [
            { site: 0, hit: true, probeLength: 1, keyComparisons: 1, times: 400 + (second % 9) },
            { site: 0, hit: false, probeLength: 1 + (second % 2), keyComparisons: 0, times: 50 },
            { site: 1, hit: true, probeLength: 1, keyComparisons: 1 + (second % 3), times: 120 },
            { site: 3, hit: true, probeLength: far, keyComparisons: 2, times: 90 + (second % 5) },
          ],
    });
  }
}

/** A page in a file, and the report of the same observation. */
async function written(traceUrl?: string): Promise<{ path: string; url: string; summary: Summary }> {
  const owner = { after: (end: () => Promise<void>) => after(end) };
  const { page, watch } = await serve(owner, traceUrl === undefined ? {} : { traceUrl });
  let last: Snapshot | undefined;
  for (const snapshot of observation()) {
    take(watch, snapshot, TRACE);
    last = snapshot;
  }
  const summary = summarize(TARGET, 'windows', last as Snapshot);
  watch.end(last as Snapshot, []);
  page.setSummary(TARGET, summary);
  const path = join(folder, `page-${Math.random()}.html`);
  await writeFile(path, page.file());
  return { path, url: pathToFileURL(path).href, summary };
}

const number = (text: string | undefined): number => Number((text ?? '').replaceAll(',', ''));

/** The counts of the heatmap's table by row, of the whole range. */
async function heatTable(tab: Tab): Promise<number[]> {
  await tab.$eval('#heat-table', (details) => {
    (details as HTMLDetailsElement).open = true;
  });
  await tab.waitForSelector('#heat-table tbody td');
  return (await texts(tab, '#heat-table tbody td:nth-child(2)')).map(number);
}

test('a file shows what the JSON in it says', LIMIT, async () => {
  const { path, url, summary } = await written();
  const html = readFileSync(path, 'utf8');
  assert.ok(html.length < 5e6);
  assert.deepEqual(readPageFile(html, path).documents[0]?.summary, JSON.parse(JSON.stringify(summary)));
  const { tab, requests, problems } = await openTab(browser, `${url}#span=0`);
  for (const [picture, quantity] of [
    ['probeLength', 'probeLength'],
    ['keyComparisons', 'keyComparisons'],
    ['homePosition', 'homePosition'],
    ['loadFactor', 'loadFactors'],
  ] as const) {
    await tab.click(`#pictures [data-value=${picture}]`);
    await tab.waitForFunction(
      (name) =>
        document.querySelector(`#pictures [data-value=${name}]`)?.getAttribute('aria-checked') === 'true',
      {},
      picture,
    );
    await settled(tab);
    const shown = await heatTable(tab);
    const counts = summary.callSites.map((site) => site[quantity].counts);
    const expected = counts[0]?.map((_, i) => counts.reduce((sum, one) => sum + (one[i] ?? 0), 0)) ?? [];
    assert.deepEqual(shown.slice(0, -1), expected, picture);
    assert.equal(shown.at(-1), summary.observed.lookups, 'its last row is the sum');
  }
  const rows = await tab.$$eval('table.sites tbody tr[data-key]', (elements) =>
    elements.map((row) => ({
      name: row.querySelector('.name')?.textContent,
      counted: (row.querySelector('.c-rate') as HTMLElement).title,
      hits: (row.querySelector('.c-hits') as HTMLElement).title,
      probes: row.querySelector('.c-probes')?.textContent,
    })),
  );
  const byName = (a: { name?: string | null | undefined }, b: typeof a) =>
    String(a.name).localeCompare(String(b.name));
  const whole = new Intl.NumberFormat('en-US');
  assert.deepEqual(
    rows.toSorted(byName),
    summary.callSites
      .map((site) => ({
        name: `${site.file.split('/').at(-1)}:${site.line}`,
        counted: `${whole.format(site.lookups)} counted, ${whole.format(site.estimatedLookups)} estimated`,
        hits: `${whole.format(site.hits)} hits, ${whole.format(site.misses)} misses`,
        probes: (site.probeLength.sum / site.lookups).toFixed(2),
      }))
      .toSorted(byName),
  );
  assert.deepEqual(
    requests.filter((one) => !one.startsWith('file:') && !one.startsWith('data:')),
    [],
  );
  assert.deepEqual(problems, []);
});

/** Two frames later everything that was asked for is drawn. */
async function settled(tab: Tab): Promise<void> {
  await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

test('it says which map, which line, how bad, since when, which trace', LIMIT, async () => {
  const { url } = await written('http://localhost:16686/trace/{trace_id}?span={span_id}');
  const { tab } = await openTab(browser, `${url}#span=0`);
  await tab.waitForSelector('#verdict[data-level=bad]');
  const [text = ''] = await texts(tab, '#verdict');
  assert.match(text, /map\[string\]int/);
  assert.match(text, /find3\.go:13/);
  assert.match(text, /groups per lookup/);
  // The second minute begins 14:14:20; columns are of ten seconds.
  assert.match(text, /since 14:14:1\d|since 14:14:2\d/);
  const links = await tab.$$eval('#traces a', (anchors) =>
    anchors.map((a) => [a.getAttribute('href'), a.rel]),
  );
  assert.deepEqual(links[0], [
    `http://localhost:16686/trace/${TRACE}?span=00f067aa0ba902b7`,
    'noopener noreferrer',
  ]);
});

test('time without a window is hatched: neither counted nor empty', LIMIT, async () => {
  const { url } = await written();
  const { tab } = await openTab(browser, `${url}#span=0`);
  await settled(tab);
  const colors = await tab.$eval('#heat', (element) => {
    const canvas = element as HTMLCanvasElement;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const plot = canvas.width - 64 - 14;
    const at = (second: number) => {
      const { data } = context.getImageData(64 + Math.round((plot * second) / 120), 20, 6, 40);
      const pixels = new Set<number>();
      new Uint32Array(data.buffer).forEach((pixel) => {
        pixels.add(pixel);
      });
      return pixels.size;
    };
    return { unknown: at(44), known: at(20) };
  });
  assert.ok(colors.unknown > 2, 'lines of the hatch');
  assert.ok(colors.known <= 2, 'empty cells are plain');
});

test(
  'live: what comes is shown, a reload shows the same, and nothing leaves this machine',
  LIMIT,
  async (t) => {
    const { watch, url } = await serve(t);
    const observed = new Observed();
    for (const snapshot of observation(observed, 20)) {
      take(watch, snapshot);
    }
    const { tab, requests, problems } = await openTab(browser, `${url.href}#span=0`);
    const before = (await heatTable(tab)).at(-1) ?? 0;
    let last: Snapshot | undefined;
    for (const snapshot of observation(observed, 5)) {
      take(watch, snapshot);
      last = snapshot;
    }
    const expected = last?.callSites.reduce((sum, { lookups }) => sum + lookups, 0) ?? 0;
    assert.ok(expected > before);
    const shows = (sum: number) =>
      tab.waitForFunction(
        (wanted) =>
          document
            .querySelector('#heat-table tbody tr:last-child td:nth-child(2)')
            ?.textContent?.replaceAll(',', '') === wanted,
        {},
        String(sum),
      );
    await shows(expected);
    await tab.reload();
    await tab.waitForSelector('.card .value');
    await heatTable(tab);
    await shows(expected);
    await tab.waitForFunction(
      () => (document.querySelector('#status') as HTMLElement).dataset.kind === 'live',
    );
    assert.ok(requests.length > 4);
    for (const one of requests.filter((request) => !request.startsWith('data:'))) {
      assert.equal(new URL(one).host, url.host, one);
    }
    assert.deepEqual(problems, []);
  },
);

test('a page that is opened before anything is observed waits for it', LIMIT, async (t) => {
  const page = await Page.open({ ui: '127.0.0.1:0', traceUrl: undefined });
  t.after(() => page.close());
  const { tab, problems } = await openTab(browser, page.url ?? '', { isEmpty: true });
  await tab.waitForFunction(() => document.querySelector('#verdict')?.textContent?.includes('starting'));
  const watch = page.watch(TARGET, 'all');
  for (const snapshot of observation(new Observed(), 3)) {
    take(watch, snapshot);
  }
  await tab.waitForSelector('table.sites tbody tr[data-key]');
  assert.deepEqual(problems, []);
});

test('who loses the connection comes back and misses nothing', LIMIT, async (t) => {
  const { watch, url } = await serve(t);
  const observed = new Observed();
  const [first] = observation(observed, 1);
  take(watch, first as Snapshot);
  const { tab } = await openTab(browser, `${url.href}#span=0`);
  await tab.waitForFunction(() => (document.querySelector('#status') as HTMLElement).dataset.kind === 'live');
  await tab.setOfflineMode(true);
  let last: Snapshot | undefined;
  for (const snapshot of observation(observed, 150)) {
    take(watch, snapshot);
    last = snapshot;
  }
  await tab.setOfflineMode(false);
  await tab.reload();
  await tab.waitForSelector('.card .value');
  const expected = last?.callSites.reduce((sum, { lookups }) => sum + lookups, 0);
  assert.equal((await heatTable(tab)).at(-1), expected);
});

test(
  'sorting, filtering, grouping, the detail and the comparison work, and stand in the address',
  LIMIT,
  async () => {
    const { url } = await written();
    const { tab, problems } = await openTab(browser, `${url}#span=0`);
    const names = () => texts(tab, 'table.sites tbody tr[data-key] .name');
    await settled(tab);
    assert.equal((await names())[0], 'find3.go:13', 'the one that walks furthest is first');
    await tab.click('th.c-rate button');
    await settled(tab);
    assert.equal((await names())[0], 'find0.go:10');
    await tab.type('#filter', 'find1');
    await settled(tab);
    assert.deepEqual(await names(), ['find1.go:11']);
    await tab.$eval('#filter', (input) => {
      (input as HTMLInputElement).value = '';
      input.dispatchEvent(new Event('input'));
    });
    await tab.click('#groupings [data-value=package]');
    await settled(tab);
    assert.deepEqual((await names()).toSorted(), ['example.com/shop/p0', 'example.com/shop/p1']);
    await tab.click('#groupings [data-value=site]');
    await settled(tab);
    await tab.click('table.sites tbody tr[data-key]');
    await settled(tab);
    assert.match((await texts(tab, '#detail'))[0] ?? '', /Lookups per second.*Probe length/s);
    // The pictures show it alone now: its lookups only.
    const alone = (await heatTable(tab)).at(-1);
    await tab.keyboard.press('Escape');
    await settled(tab);
    assert.ok((alone ?? 0) < ((await heatTable(tab)).at(-1) ?? 0));
    await drag(tab, 0.05, 0.3);
    await tab.click('#as-baseline');
    await drag(tab, 0.6, 0.95);
    await tab.waitForSelector('#compare-list tbody tr');
    const [first = ''] = await texts(tab, '#compare-list tbody tr');
    assert.match(first, /find3\.go:13/);
    assert.doesNotMatch(first, /may be chance/);
    const address = tab.url();
    assert.match(address, /range=\d+-\d+&baseline=\d+-\d+/);
    const again = await openTab(browser, address);
    await again.tab.waitForSelector('#compare-list tbody tr');
    assert.equal((await texts(again.tab, '#compare-list tbody tr'))[0], first, 'a link shows the same');
    assert.deepEqual([...problems, ...again.problems], []);
  },
);

/** Selects a part of the time line, from and to as shares of its width. */
async function drag(tab: Tab, from: number, to: number): Promise<void> {
  const overlay = await tab.$('#overlay');
  await overlay?.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const box = await overlay?.boundingBox();
  assert.ok(box);
  const x = (share: number) => box.x + 64 + (box.width - 78) * share;
  await tab.mouse.move(x(from), box.y + 150);
  await tab.mouse.down();
  await tab.mouse.move(x((from + to) / 2), box.y + 150);
  await tab.mouse.move(x(to), box.y + 150);
  await tab.mouse.up();
  await settled(tab);
}

test('the keyboard is enough', LIMIT, async () => {
  const { url } = await written();
  const { tab } = await openTab(browser, `${url}#span=0`);
  const press = async (...keys: Parameters<Tab['keyboard']['press']>[0][]) => {
    for (const key of keys) {
      await tab.keyboard.press(key);
      await settled(tab);
    }
  };
  await press('2');
  assert.match((await texts(tab, '#heat-caption'))[0] ?? '', /^Key comparisons/);
  await press('/');
  await tab.keyboard.type('find3');
  await press('Escape');
  assert.equal((await texts(tab, 'table.sites tbody tr[data-key]')).length, 1);
  await tab.focus('#table');
  await press('ArrowDown');
  assert.equal(await tab.$eval('#detail', (element) => (element as HTMLElement).hidden), false);
  await press('Escape');
  assert.equal(await tab.$eval('#detail', (element) => (element as HTMLElement).hidden), true);
  await tab.focus('#overlay');
  await press('ArrowLeft', 'ArrowLeft');
  assert.match((await texts(tab, '#said'))[0] ?? '', /lookups counted/);
  await tab.keyboard.down('Shift');
  await press('ArrowLeft', 'ArrowLeft', 'ArrowLeft');
  await tab.keyboard.up('Shift');
  assert.match(tab.url(), /range=/);
  await press('b');
  assert.match(tab.url(), /baseline=/);
  await press('Escape', 'f');
  assert.doesNotMatch(tab.url(), /range=|baseline=/);
  await press('?');
  assert.equal(await tab.$eval('#help', (element) => (element as HTMLDialogElement).open), true);
});

for (const { name, width, dark } of [
  { name: 'light', width: 1280, dark: false },
  { name: 'dark', width: 1280, dark: true },
  { name: "of a phone's width", width: 390, dark: false },
]) {
  test(`axe finds nothing serious in the page, ${name}`, LIMIT, async () => {
    const { url } = await written();
    const { tab } = await openTab(browser, `${url}#span=0`, { width, dark });
    await heatTable(tab);
    assert.deepEqual(await seriousProblems(tab), []);
    await tab.click('table.sites tbody tr[data-key]');
    await drag(tab, 0.05, 0.3);
    await tab.click('#as-baseline');
    await drag(tab, 0.6, 0.95);
    assert.deepEqual(await seriousProblems(tab), [], 'with the detail and a comparison');
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    assert.equal(wide, false, 'nothing is wider than the page');
  });
}

test('names in the target cannot do anything in the page', LIMIT, async (t) => {
  const { page, watch, url } = await serve(t);
  const evil = '</script><img src=x onerror="document.title=1"><script>document.title=2</script>';
  for (const snapshot of observation(new Observed(), 3)) {
    const callSites = snapshot.callSites.map((site) => ({
      ...site,
      type: evil,
      callSite: { ...site.callSite, function: `a.${evil}`, file: `/${evil}.go` },
    }));
    // Sites of the same name are one: only the first of them.
    take(watch, { ...snapshot, callSites: callSites.slice(0, 1) });
  }
  const path = join(folder, 'evil.html');
  await writeFile(path, page.file());
  for (const address of [url.href, pathToFileURL(path).href]) {
    const { tab, problems } = await openTab(
      browser,
      `${address}#span=0&filter=${encodeURIComponent(evil)}&row=${encodeURIComponent(evil)}`,
    );
    await settled(tab);
    await tab.click('table.sites tbody tr[data-key]');
    await settled(tab);
    assert.equal(await tab.title(), 'mapscope');
    assert.equal(await tab.$('img'), null);
    assert.deepEqual(problems, []);
  }
});

test('five thousand call sites are brought up to date without a stop', LIMIT, async (t) => {
  const { watch, url } = await serve(t);
  const observed = new Observed();
  const lookups = Array.from({ length: 5_000 }, (_, site) => ({
    site,
    hit: true,
    probeLength: 1 + (site % 30),
    keyComparisons: site % 9,
    times: 1 + site,
  }));
  for (let i = 0; i < 5; i++) {
    take(watch, observed.step({ lookups, window: true }));
  }
  const { tab } = await openTab(browser, url.href);
  await tab.waitForFunction(() => document.querySelector('#count')?.textContent === '5,000 rows');
  const before = await tab.metrics();
  const steps = 5;
  for (let i = 0; i < steps; i++) {
    const snapshot = observed.step({ lookups, window: true });
    take(watch, snapshot);
    const expected = new Intl.NumberFormat('en-US').format(
      snapshot.callSites.reduce((sum, site) => sum + site.lookups, 0),
    );
    await tab.waitForFunction(
      (all) => document.querySelector('#cards')?.textContent?.includes(`of ${all} counted`),
      {},
      expected,
    );
  }
  const { TaskDuration = 0, JSHeapUsedSize = 0 } = await tab.metrics();
  const milliseconds = ((TaskDuration - (before.TaskDuration ?? 0)) * 1000) / steps;
  t.diagnostic(
    `${milliseconds.toFixed(0)} ms of work for a second of 5,000 call sites, ${(JSHeapUsedSize / 1e6).toFixed(0)} MB`,
  );
  // On a quiet machine it is a tenth of that.
  assert.ok(milliseconds < 1_000, `${milliseconds} ms`);
  assert.ok(JSHeapUsedSize < 120e6, `${JSHeapUsedSize} bytes`);
});
