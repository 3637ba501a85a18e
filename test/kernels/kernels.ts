/*
 * Boots Debian's own kernels and checks mapscope on each, as a table: npm run kernels [-- SERIES…]. With --checks PART only the checks
 * with such a name are run, and with --write the table goes into docs/kernels.md as well.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { bootAndCheck } from './boot.ts';
import { run } from './command.ts';
import { prepareEmulator } from './emulator.ts';
import type { Outcome } from './guest/contract.ts';
import { makeImage } from './image.ts';
import { chooseKernels, fetchKernel } from './packages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = join(ROOT, 'docs/kernels.md');

/** The oldest that is refused, the oldest that is not, and some on the way to the newest. */
const MATRIX = ['5.10', '6.1', '6.12', '6.17', '6.18', '7.0', 'newest'];

interface Row {
  readonly version: string;
  readonly outcomes: readonly Outcome[];
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { checks: { type: 'string' }, write: { type: 'boolean', default: false } },
});

async function check(version: string, image: string): Promise<Row> {
  try {
    return { version, outcomes: await bootAndCheck(await fetchKernel(version), image, options.checks) };
  } catch (error) {
    return { version, outcomes: [{ check: 'boot', good: false, detail: messageOf(error) }] };
  }
}

function lines({ version, outcomes }: Row): string[] {
  return outcomes.map(({ check: name, good, detail }) => {
    const cells = [version, name, good ? detail : `**failed**: ${detail}`];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  });
}

const HEAD = ['| kernel | check | result |', '| --- | --- | --- |'];

/** Replaces the table of the document, formatted as the checks want it. */
async function write(rows: readonly Row[]): Promise<void> {
  const text = await readFile(DOCUMENT, 'utf8');
  const [before] = text.split('\n| kernel ', 1);
  await writeFile(DOCUMENT, `${before}\n${[...HEAD, ...rows.flatMap(lines)].join('\n')}\n`);
  await run(join(ROOT, 'node_modules/.bin/biome'), ['format', '--write', DOCUMENT], ROOT);
}

await prepareEmulator();
const image = await makeImage();
try {
  const versions = await chooseKernels(positionals.length > 0 ? positionals : MATRIX);
  process.stdout.write(`${HEAD.join('\n')}\n`);
  const rows: Row[] = [];
  for (const version of new Set(versions)) {
    const row = await check(version, image.path);
    rows.push(row);
    process.stdout.write(`${lines(row).join('\n')}\n`);
  }
  if (options.write) {
    await write(rows);
  }
  process.exitCode = rows.every(({ outcomes }) => outcomes.every(({ good }) => good)) ? 0 : 1;
} finally {
  await image.remove();
}
