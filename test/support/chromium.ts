import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer, { type Browser, type Page as Tab } from 'puppeteer-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Longer than anything takes on a busy machine. */
const PATIENCE_MILLIS = 90_000;

/** Debian's Chromium, without a window. All hosts but this machine are out of its reach. */
export async function startChromium(owner: { after(end: () => Promise<void>): void }): Promise<Browser> {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      // Its sandbox is not for root. What it shows comes from here.
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      '--force-color-profile=srgb',
      '--lang=en-US',
    ],
    env: { ...process.env, TZ: 'UTC' },
  });
  owner.after(() => browser.close());
  return browser;
}

/** A tab, with what it has asked for and what went wrong in it. */
export interface Opened {
  readonly tab: Tab;
  readonly requests: string[];
  readonly problems: string[];
}

export async function openTab(
  browser: Browser,
  url: string,
  { width = 1280, height = 900, dark = false, scale = 1, isEmpty = false } = {},
): Promise<Opened> {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(PATIENCE_MILLIS);
  const requests: string[] = [];
  const problems: string[] = [];
  tab.on('request', (request) => requests.push(request.url()));
  tab.on('pageerror', (error) => problems.push(String(error)));
  tab.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) {
      problems.push(message.text());
    }
  });
  await tab.setViewport({ width, height, deviceScaleFactor: scale });
  await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  await tab.goto(url, { waitUntil: 'domcontentloaded' });
  if (!isEmpty) {
    await tab.waitForSelector('.card .value');
  }
  return { tab, requests, problems };
}

/** What axe finds that keeps somebody from using the page, one line each. */
export async function seriousProblems(tab: Tab): Promise<string[]> {
  await tab.evaluate(AXE);
  const found = (await tab.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(
       ({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ target, failureSummary }) => target + ': ' + failureSummary) })))`,
  )) as { id: string; impact: string; nodes: string[] }[];
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 3).join(' | ')}`);
}

/** The text of all elements that a selector finds. */
export function texts(tab: Tab, selector: string): Promise<string[]> {
  return tab.$$eval(selector, (elements) => elements.map(({ textContent }) => textContent ?? ''));
}
