/*
 * All faults, as long as they last in life, and what became of the counts: npm run faults [-- --short] [-- --only 'target']
 * [-- --random 60m]. Takes half an hour. With --random, faults in any order for some time, after which mapscope holds no more
 * memory, descriptors and objects of the kernel's than before.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { objectsOf } from '../support/left-behind.ts';
import { type Extent, type Fault, inWords, LONG, recovery, SHORT } from './fault.ts';
import { FAULTS } from './list.ts';
import { Scene } from './scene.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    random: { type: 'string' },
  },
});

const ends: (() => Promise<void>)[] = [];

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function ready(): Promise<Scene> {
  const scene = await Scene.create({ after: (end) => ends.push(end) });
  await scene.startService();
  scene.startSidecar();
  await scene.observes();
  return scene;
}

const chosen = FAULTS.filter(({ name }) => name.includes(values.only));

/** One after the other, and a table of what happened. */
async function each(extent: Extent): Promise<void> {
  const scene = await ready();
  const rows: string[][] = [];
  for (const { name, happen } of chosen) {
    say(`mapscope: ${name}`);
    const outcome = await happen(scene, extent);
    rows.push(
      outcome === undefined
        ? [name, 'this machine cannot do that', '-', '-']
        : [name, outcome.happened, String(outcome.lost), recovery(outcome.recoveredMillis)],
    );
  }
  process.stdout.write(table(['fault', 'what happened', 'lookups lost', 'time to recover'], rows));
}

/** What must not grow. */
interface Held {
  readonly megabytes: number;
  readonly descriptors: number;
  readonly objects: number;
}

function held({ sidecar: { pid } }: Scene): Held {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    megabytes: Math.round(Number(kilobytes) / 1000),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    objects: objectsOf(pid).size,
  };
}

/** A sidecar may hold so much more than at its start, of each. Memory is given back from time to time only. */
const MOST_GROWTH: Held = { megabytes: 40, descriptors: 12, objects: 4 };

/** @param minutes for which faults that leave the sidecar alive happen at random, and then those that end it */
async function atRandom(minutes: number): Promise<void> {
  const scene = await ready();
  let before = held(scene);
  let { pid } = scene.sidecar;
  let count = 0;
  for (const end = performance.now() + minutes * 60_000; performance.now() < end; count++) {
    const fault = chosen[Math.floor(Math.random() * chosen.length)] as Fault;
    const extent = { outage: 20 * Math.random(), lasting: 5 * Math.random(), restarts: 3, kills: 3 };
    const outcome = await fault.happen(scene, extent);
    const total = await scene.agree();
    if (scene.sidecar.pid !== pid) {
      ({ pid } = scene.sidecar);
      before = held(scene);
    }
    const now = held(scene);
    say(
      `${fault.name}: ${outcome === undefined ? 'not here' : inWords(outcome)}; ${total} lookups, ${JSON.stringify(now)}`,
    );
    for (const what of Object.keys(MOST_GROWTH) as (keyof Held)[]) {
      if (now[what] > before[what] + MOST_GROWTH[what]) {
        throw new Error(`${now[what]} ${what}, after ${before[what]} at its start`);
      }
    }
  }
  process.stdout.write(`${count} faults in ${minutes} minutes: no growth, nothing left, no wrong total.\n`);
}

/** Markdown, its columns under one another. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |\n`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}

function inMinutes(text: string): number {
  const minutes = /^(\d+)m$/.exec(text)?.[1];
  if (minutes === undefined) {
    throw new RangeError(`${text} is no number of minutes such as 60m`);
  }
  return Number(minutes);
}

try {
  await (values.random === undefined
    ? each(values.short ? SHORT : LONG)
    : atRandom(inMinutes(values.random)));
} finally {
  // Each, whatever becomes of the others: nothing is to run on.
  const ended = [];
  for (const end of ends.reverse()) {
    ended.push(...(await Promise.allSettled([end()])));
  }
  for (const failure of ended.filter(({ status }) => status === 'rejected')) {
    say(String((failure as PromiseRejectedResult).reason));
    process.exitCode = 1;
  }
}
