/*
 * Pictures of the page for the README: a real observation of the shop, for a minute and a half, looked at with a real browser.
 *
 *   npm run screenshots [FOLDER]     default: docs/images
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openTab, startChromium } from '../../test/support/chromium.ts';
import { startReceiver } from '../../test/support/otlp-receiver/receiver.ts';
import { startObservedShop } from '../demo/shop.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = process.argv[2] ?? join(ROOT, 'docs/images');
const OBSERVED_MILLIS = 90_000;

const ends: (() => Promise<void>)[] = [];
const owner = { after: (end: () => Promise<void>) => void ends.unshift(end) };
const temporary = mkdtempSync(join(tmpdir(), 'mapscope-screenshots-'));
try {
  const receiver = await startReceiver();
  owner.after(() => receiver.close());
  const options = ['--trace-url', 'http://localhost:16686/trace/{trace_id}'];
  const shop = await startObservedShop({
    root: ROOT,
    page: join(temporary, 'page.html'),
    endpoint: receiver.endpoint,
    options,
  });
  if (shop === undefined) {
    throw new Error('The shop could not be built.');
  }
  owner.after(() => shop.stop());
  await wait(OBSERVED_MILLIS);
  const browser = await startChromium(owner);
  for (const { name, dark, width, height, open } of [
    { name: 'page-light', dark: false, width: 1360, height: 1180, open: false },
    { name: 'page-dark', dark: true, width: 1360, height: 1180, open: false },
    { name: 'page-detail', dark: false, width: 1360, height: 1500, open: true },
    { name: 'page-phone', dark: true, width: 390, height: 1500, open: false },
  ]) {
    const { tab } = await openTab(browser, `${shop.url}#span=0`, {
      width,
      height,
      dark,
      scale: name === 'page-phone' ? 2 : 1.5,
    });
    await tab.waitForSelector('table.sites tbody tr[data-key]');
    if (open) {
      await tab.click('table.sites tbody tr[data-key]');
    }
    await wait(1_500);
    await tab.screenshot({ path: join(FOLDER, `${name}.png`) as `${string}.png` });
    await tab.close();
  }
} finally {
  for (const end of ends) {
    await end();
  }
  rmSync(temporary, { recursive: true, force: true });
}
