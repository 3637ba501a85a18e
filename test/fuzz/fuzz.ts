/*
 * Fuzzes the readers of src/gobinary: node test/fuzz/fuzz.ts [--runs N] [--seed S] [--seconds T] [--state FILE] [--found DIR]
 *                                       [--hang SECONDS] [--target MODULE]
 *
 * Inputs are small executables with the tables of real Go programs of ten kinds, damaged by structured mutation (mutate.ts).
 * The choice of inputs to go on from is guided by what the readers report, which differs between the ways through them;
 * measured with V8's own coverage instead, an input takes twice as long. With --state a run goes on where the last one ended.
 * Every fault is written to DIR as a recipe; exit status 1 says that there were any.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Current } from './current.ts';
import type { Recipe } from './recipe.ts';
import { type Fault, faultKey } from './session.ts';
import type { Progress, WorkerOptions } from './worker.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    state: { type: 'string' },
    found: { type: 'string', default: join(import.meta.dirname, 'found') },
    hang: { type: 'string', default: '20' },
    target: { type: 'string', default: './exercise.ts' },
  },
});
const runs = Number(values.runs);
const seconds = Number(values.seconds);

/** An input that is not done after this long on the clock, which also runs for others, is a hang. */
const hangMillis = Number(values.hang) * 1000;
const heapMegabytes = 512;

/** What a run is resumed from. */
interface State {
  seedNumber: number;
  done: number;
  opened: number;
  features: number;
  slowest: NonNullable<Progress['slowest']>;
  largest: NonNullable<Progress['largest']>;
  corpus: Recipe[];
  faults: number;
}

const none: Recipe = { seed: '', edits: [] };
const state: State = {
  ...{ seedNumber: Number(values.seed), done: 0, opened: 0, features: 0, corpus: [], faults: 0 },
  slowest: { millis: 0, recipe: none },
  largest: { allocated: 0, recipe: none },
  ...(values.state !== undefined && existsSync(values.state)
    ? JSON.parse(readFileSync(values.state, 'utf8'))
    : {}),
};
const keys = new Set<string>();
const current = new Current();
const started = Date.now();

function save(): void {
  if (values.state === undefined) {
    return;
  }
  mkdirSync(dirname(values.state), { recursive: true });
  writeFileSync(`${values.state}.new`, JSON.stringify(state));
  renameSync(`${values.state}.new`, values.state);
}

function keep(fault: Fault): void {
  const key = faultKey(fault);
  state.faults++;
  if (keys.has(key)) {
    return;
  }
  keys.add(key);
  mkdirSync(values.found, { recursive: true });
  writeFileSync(join(values.found, `${key}.json`), `${JSON.stringify(fault, null, 2)}\n`);
  process.stdout.write(`fault: ${key}: ${fault.message}\n`);
}

function add(progress: Progress): void {
  state.done = progress.done;
  state.opened += progress.opened;
  state.features = progress.features;
  if ((progress.slowest?.millis ?? 0) > state.slowest.millis) {
    state.slowest = progress.slowest ?? state.slowest;
  }
  if ((progress.largest?.allocated ?? 0) > state.largest.allocated) {
    state.largest = progress.largest ?? state.largest;
  }
  state.corpus.push(...progress.kept);
  progress.faults.forEach(keep);
}

/** Runs a worker until it is done, stuck, out of memory, or out of time. */
async function attempt(): Promise<void> {
  const workerData: WorkerOptions = {
    ...{ seedNumber: state.seedNumber, from: state.done, to: runs, corpus: state.corpus },
    ...{ current: current.buffer, target: values.target },
  };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.on('message', add);
  worker.on('error', (error: NodeJS.ErrnoException) => {
    const last = current.stuck(0);
    if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY' || last === undefined) {
      throw error;
    }
    keep({ kind: 'memory', message: error.message, recipe: last.recipe });
    state.done = last.number + 1;
  });
  worker.on('exit', () => resolve());
  const watch = setInterval(() => {
    const hanging = current.stuck(hangMillis);
    if (hanging !== undefined) {
      keep({ kind: 'hang', message: `not done after ${hangMillis / 1000} s`, recipe: hanging.recipe });
      state.done = hanging.number + 1;
    }
    if (hanging !== undefined || Date.now() - started > seconds * 1000) {
      void worker.terminate();
    }
    save();
  }, 1000);
  await promise;
  clearInterval(watch);
  current.end();
}

const first = state.done;
while (state.done < runs && Date.now() - started < seconds * 1000) {
  await attempt();
}
save();
const took = (Date.now() - started) / 1000;
process.stdout.write(
  `${state.done - first} inputs in ${took.toFixed(1)} s, ${state.done} in all: ${state.opened} read as Go programs, ` +
    `${state.features} features, corpus ${state.corpus.length}; slowest ${state.slowest.millis.toFixed(1)} ms, ` +
    `most allocated ${(state.largest.allocated / 2 ** 20).toFixed(1)} MiB, ${state.faults} faults\n`,
);
process.exitCode = state.faults > 0 ? 1 : 0;
