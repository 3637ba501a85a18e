// The thread that tries inputs; fuzz.ts watches it from outside, and ends it when an input takes too long.

import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Current } from './current.ts';
import type { Recipe } from './recipe.ts';
import { makeSeeds } from './seeds.ts';
import { type Fault, type Outcome, Session, type Target } from './session.ts';

export interface WorkerOptions {
  readonly seedNumber: number;
  /** The numbers of the inputs to try: `from`, up to but not `to`. */
  readonly from: number;
  readonly to: number;
  readonly corpus: readonly Recipe[];
  /** Shared with the watcher. */
  readonly current: SharedArrayBuffer;
  /** Module whose `exercise` is the target. */
  readonly target: string;
}

/** What the worker tells, every few inputs. */
export interface Progress {
  /** Inputs tried so far are all below this number. */
  readonly done: number;
  readonly opened: number;
  readonly features: number;
  readonly slowest: { readonly millis: number; readonly recipe: Recipe } | undefined;
  readonly largest: { readonly allocated: number; readonly recipe: Recipe } | undefined;
  readonly kept: readonly Recipe[];
  readonly faults: readonly Fault[];
}

const batch = 500;
const options: WorkerOptions = workerData;
const { exercise }: { exercise: Target } = await import(options.target);
const session = new Session(options.seedNumber, makeSeeds(), exercise, options.corpus);
const current = new Current(options.current);

let opened = 0;
let slowest: Progress['slowest'];
let largest: Progress['largest'];
let kept: Recipe[] = [];
let faults: Fault[] = [];

function note(
  { recipe, features, millis, allocated, fault }: Outcome,
  begin: (recipe: Recipe) => void,
): void {
  if (features.length > 1) {
    opened++;
  }
  if (millis > (slowest?.millis ?? 0)) {
    slowest = { millis, recipe };
  }
  if (allocated > (largest?.allocated ?? 0)) {
    largest = { allocated, recipe };
  }
  if (fault !== undefined) {
    faults.push(session.minimized(fault, begin));
  }
}

function report(done: number): void {
  const progress: Progress = { done, opened, features: session.features, slowest, largest, kept, faults };
  parentPort?.postMessage(progress);
  opened = 0;
  slowest = undefined;
  largest = undefined;
  kept = [];
  faults = [];
}

for (const outcome of session.prepare((recipe) => current.begin(options.from, recipe))) {
  if (outcome.fault !== undefined) {
    faults.push(outcome.fault);
  }
}
for (let i = options.from; i < options.to; i++) {
  const begin = (recipe: Recipe): void => current.begin(i, recipe);
  const outcome = session.run(i, begin);
  note(outcome, begin);
  if (outcome.isNew) {
    kept.push(outcome.recipe);
  }
  if ((i + 1) % batch === 0 || outcome.fault !== undefined) {
    report(i + 1);
    // zlib lets go of what it failed on only when the event loop turns.
    current.end();
    await setImmediate();
  }
}
report(options.to);
current.end();
