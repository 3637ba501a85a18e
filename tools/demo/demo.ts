import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { mergePages, pageFile, readPageFile } from '../../src/page/file.ts';
import type { PageDocument } from '../../src/page/format/document.ts';
import { readAssets } from '../../src/page/server/assets.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { commandLine, ROOT } from '../../test/support/command.ts';
import { type Receiver, startReceiver } from '../../test/support/otlp-receiver/receiver.ts';
import { demoReport } from './report.ts';
import { type ObservedShop, startObservedShop } from './shop.ts';

const COMPILER = 'node_modules/@typescript/typescript-linux-x64/lib/tsc';
const ARGUMENTS = ['-p', 'tsconfig.json'];
/** How long the shop is observed where nobody presses Ctrl-C. */
const SHOP_MILLIS = 20_000;
/** Columns where nobody says how many there are. */
const USUAL_COLUMNS = 100;
const REPORT = join(ROOT, 'build', 'demo', 'mapscope.html');

/**
 * Runs the main job on something real: a web service with traces, on a live page, and TypeScript's compiler, a stripped Go
 * program, checking mapscope's own sources. On a terminal it goes on until Ctrl-C; in any case it leaves the page in a file.
 */
async function demo(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-demo-'));
  const receiver = await startReceiver();
  const interrupted = onInterrupt();
  let shop: ObservedShop | undefined;
  try {
    shop = await startObservedShop({
      root: ROOT,
      page: join(folder, 'shop.html'),
      endpoint: receiver.endpoint,
    });
    const started = performance.now();
    const command = [COMPILER, ...ARGUMENTS].join(' ');
    say(`mapscope run --mode all --otlp-endpoint ${receiver.endpoint} \\\n  -- ${command}`);
    const compiler = join(folder, 'compiler.html');
    const status = await observeCompiler(receiver.endpoint, compiler);
    if (status !== 0) {
      return status;
    }
    const page = readPage(compiler);
    sayReport(page, receiver);
    const pages = [page];
    if (shop !== undefined) {
      await whileWatched(shop, started, interrupted.happened);
      await shop.stop();
      pages.unshift(...(existsSync(shop.page) ? [readPage(shop.page)] : []));
    }
    mkdirSync(join(REPORT, '..'), { recursive: true });
    writeFileSync(REPORT, pageFile(readAssets(), mergePages(pages)));
    say('The page is in a file now, which needs nothing else:');
    say(`  ${relative(process.cwd(), REPORT)}`);
    return 0;
  } finally {
    interrupted.forget();
    await shop?.stop();
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** On a terminal until Ctrl-C, elsewhere for a while. */
async function whileWatched(shop: ObservedShop, started: number, interrupted: Promise<void>): Promise<void> {
  if (process.stdout.isTTY) {
    say(`Open ${shop.url} in a browser: it shows a shop's map lookups, live. Ctrl-C ends the demo.`);
    await Promise.race([interrupted, shop.ended]);
    return;
  }
  const left = started + SHOP_MILLIS - performance.now();
  await Promise.race([interrupted, shop.ended, wait(Math.max(0, left))]);
}

function onInterrupt(): { happened: Promise<void>; forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listener = () => resolve();
  process.on('SIGINT', listener).on('SIGTERM', listener);
  return { happened: promise, forget: () => process.off('SIGINT', listener).off('SIGTERM', listener) };
}

/** Runs mapscope as a user would. @returns its exit status */
async function observeCompiler(endpoint: string, output: string): Promise<number> {
  const options = ['--mode', 'all', '--output', output, '--otlp-endpoint', endpoint];
  const [file, ...args] = commandLine('run', ...options, '--', COMPILER, ...ARGUMENTS);
  const child: ChildProcess = spawn(file, args, { cwd: ROOT, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

function readPage(path: string): PageDocument {
  return readPageFile(readFileSync(path, 'utf8'), path);
}

function sayReport(page: PageDocument, { endpoint, summary: received }: Receiver): void {
  const width = process.stdout.columns || USUAL_COLUMNS;
  for (const { summary } of page.documents) {
    const seen = { summary: summary as Summary, received: received(), endpoint };
    say(demoReport(seen, width, process.stdout));
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await demo();
