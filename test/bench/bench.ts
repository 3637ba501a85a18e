/*
 * What observation costs: npm run bench [-- --quick] [-- --format json] [-- --only lookups,service] [-- --output FOLDER].
 *
 * Absolute times depend on the machine and wander on it; ratios are taken in one run, alternating, and hold better. A full run
 * takes half an hour and writes its results to docs/performance.md and docs/performance.json, unless told where else.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allowance } from './allowance.ts';
import { type Finished, jsonDocument, markdown, text } from './document.ts';
import { encoding } from './encoding.ts';
import { environment } from './environment.ts';
import { fifty } from './fifty.ts';
import { installed } from './installed.ts';
import { lookups } from './lookups.ts';
import { others } from './others.ts';
import type { Measured, Part } from './part.ts';
import { service } from './service.ts';
import { sidecar } from './sidecar.ts';
import { spans } from './spans.ts';
import { start } from './start.ts';
import { threads } from './threads.ts';

const PARTS: readonly Part[] = [
  lookups,
  service,
  sidecar,
  fifty,
  start,
  encoding,
  threads,
  spans,
  others,
  allowance,
  installed,
];
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    format: { type: 'string', default: 'table' },
    only: { type: 'string' },
    output: { type: 'string' },
  },
});

/** @throws RangeError for a name that no part has */
function chosen(only: string | undefined): readonly Part[] {
  if (only === undefined) {
    return PARTS;
  }
  return only.split(',').map((name) => {
    const part = PARTS.find((one) => one.name === name);
    if (part === undefined) {
      throw new RangeError(`no part ${name}; there are ${PARTS.map((p) => p.name).join(', ')}`);
    }
    return part;
  });
}

/** How to end what the present part has started. */
const ends: (() => Promise<void>)[] = [];

async function endAll(): Promise<void> {
  for (const end of ends.splice(0).reverse()) {
    await end();
  }
}

/** What a part has started ends with it, also when it fails; the last first. */
async function measure(part: Part): Promise<Measured> {
  try {
    return await part.measure({ quick: values.quick, after: (end) => ends.push(end) });
  } finally {
    await endAll();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
}

const folder = values.output ?? (values.quick || values.only !== undefined ? undefined : DOCS);
if (folder !== undefined) {
  mkdirSync(folder, { recursive: true });
}
const finished: Finished[] = [];
for (const part of chosen(values.only)) {
  const begin = performance.now();
  const measured = await measure(part);
  process.stderr.write(`mapscope: ${part.name}: ${((performance.now() - begin) / 1000).toFixed(0)} s\n`);
  finished.push({ part, measured });
}
const machine = environment();
const json = jsonDocument(finished, machine, values.quick);
process.stdout.write(values.format === 'json' ? json : text(finished, machine));
if (folder !== undefined) {
  writeFileSync(join(folder, 'performance.json'), json);
  writeFileSync(join(folder, 'performance.md'), markdown(finished, machine));
}
// Nothing that is left open may keep it.
process.exit();
