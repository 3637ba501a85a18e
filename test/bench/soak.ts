/*
 * Observes a Go web service at the default budget for a long time, while its load steps up and down by a factor of up to a
 * thousand and other programs take its CPU away, and says whether the budget was kept in every minute.
 *
 *   npm run soak [-- --duration 30m --step 45s --trace build/soak.json --plot build/soak.svg]
 */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { LIMITS } from '../../src/observe/windows/limits.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';
import { type Owner, Service } from '../support/service.ts';
import { runLoad } from '../support/shop.ts';
import { environment } from './environment.ts';
import { soakPlot } from './soak-plot.ts';

/** One second of the soak: what was added in it. */
export interface SoakSecond {
  /** Since the beginning. */
  readonly at: number;
  /** Requests per second that were asked for, and whether other programs took the CPU. */
  readonly rate: number;
  readonly starved: boolean;
  /** Seconds since the last change of these two. */
  readonly sinceStep: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly costSeconds: number;
  /** What the budget, or else the floor, allows. */
  readonly allowedSeconds: number;
  readonly lookups: number;
  readonly windows: number;
}

export interface SoakResult {
  readonly seconds: readonly SoakSecond[];
  readonly minutes: readonly { readonly minute: number; readonly cost: number; readonly allowed: number }[];
  readonly stops: number;
  readonly kept: boolean;
}

const SHOP = join(import.meta.dirname, '../services/shop');
const BUDGET = 0.01;
/** After a step the governor has so many seconds to adapt. */
const ADAPTING = 5;

/** Requests per second, one after the other: steps of a thousand in both directions, and smaller ones. */
const STEPS: readonly { rate: number; starved?: true }[] = [
  { rate: 1000 },
  { rate: 1 },
  { rate: 1000 },
  { rate: 50 },
  { rate: 1000, starved: true },
  { rate: 1 },
  { rate: 300 },
  { rate: 1, starved: true },
];

export async function soak(
  duration: number,
  step: number,
  note: (text: string) => void,
): Promise<SoakResult> {
  const ends: (() => Promise<void>)[] = [];
  const owner: Owner = { after: (end) => void ends.push(end) };
  try {
    const path = await buildGo({ dir: SHOP, version: 'local' });
    const service = Service.start(owner, 'the shop', [path, '-tracing', 'none']);
    const http = await service.until(() => /^ready http=(\S+)/m.exec(service.output)?.[1]);
    const observation = await Observation.start({
      ...opened(service.pid),
      mode: 'windows',
      budget: BUDGET,
      warn: note,
    });
    owner.after(async () => void (await observation.stop()));
    return await measure(observation, http, duration, step, note);
  } finally {
    for (const end of ends.reverse()) {
      await end();
    }
  }
}

async function measure(
  observation: Observation,
  http: string,
  duration: number,
  step: number,
  note: (text: string) => void,
): Promise<SoakResult> {
  const seconds: SoakSecond[] = [];
  let before = await observation.snapshot();
  const from = before.seconds;
  for (let n = 0; before.seconds - from < duration; n++) {
    const { rate, starved = false } = STEPS[n % STEPS.length] ?? { rate: 1 };
    const stepAt = before.seconds;
    note(
      `${(before.seconds - from).toFixed(0)} s: ${rate} requests a second${starved ? ', starved of CPU' : ''}`,
    );
    const hogs = starved ? cpus().flatMap(() => [hog(), hog()]) : [];
    const load = runLoad({ http, grpc: '' }, { rate, seconds: step, client: 'none' });
    while (before.seconds - stepAt < step) {
      await wait(1000);
      const now = await observation.snapshot();
      const { trapSeconds, decodeSeconds, margin } = now.overhead;
      const cpuSeconds = cpuOf(now) - cpuOf(before);
      const floor =
        LIMITS.floor * (1 + margin) * (trapSeconds + decodeSeconds) * (now.seconds - before.seconds);
      seconds.push({
        at: now.seconds - from,
        rate,
        starved,
        sinceStep: now.seconds - stepAt,
        seconds: now.seconds - before.seconds,
        cpuSeconds,
        costSeconds: now.overhead.costSeconds - before.overhead.costSeconds,
        allowedSeconds: Math.max(BUDGET * cpuSeconds, floor),
        lookups: now.observed - before.observed,
        windows: now.windows - before.windows,
      });
      before = now;
    }
    for (const process of hogs) {
      process.kill('SIGKILL');
    }
    await load;
  }
  const minutes = byMinute(seconds);
  return {
    seconds,
    minutes,
    stops: before.overhead.stops,
    kept: minutes.every(({ cost, allowed }) => cost <= allowed),
  };
}

/** A program that does nothing but use a CPU. */
function hog() {
  return spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
}

/** Adds up what counts of each whole minute: all but the first seconds of each step. */
function byMinute(seconds: readonly SoakSecond[]): SoakResult['minutes'] {
  const minutes = new Map<number, { cost: number; allowed: number }>();
  for (const { at, sinceStep, costSeconds, allowedSeconds } of seconds) {
    if (sinceStep <= ADAPTING) {
      continue;
    }
    const minute = Math.floor(at / 60);
    const sum = minutes.get(minute) ?? { cost: 0, allowed: 0 };
    minutes.set(minute, { cost: sum.cost + costSeconds, allowed: sum.allowed + allowedSeconds });
  }
  const whole = Math.floor((seconds.at(-1)?.at ?? 0) / 60);
  return [...minutes].filter(([minute]) => minute < whole).map(([minute, sum]) => ({ minute, ...sum }));
}

function inSeconds(text: string): number {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(text) ?? [];
  if (number === undefined) {
    throw new Error(`${text} is no duration such as 45s or 30m`);
  }
  return Number(number) * (unit === 'm' ? 60 : 1);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      duration: { type: 'string', default: '30m' },
      step: { type: 'string', default: '45s' },
      trace: { type: 'string', default: 'build/soak.json' },
      plot: { type: 'string', default: 'build/soak.svg' },
    },
  });
  const result = await soak(inSeconds(values.duration), inSeconds(values.step), (text) =>
    process.stderr.write(`${text}\n`),
  );
  const machine = environment();
  writeFileSync(values.trace, `${JSON.stringify({ environment: machine, budget: BUDGET, ...result })}\n`);
  writeFileSync(values.plot, soakPlot(result.seconds, BUDGET, machine));
  for (const { minute, cost, allowed } of result.minutes) {
    process.stdout.write(
      `minute ${minute}: ${(1000 * cost).toFixed(1)} ms of ${(1000 * allowed).toFixed(1)} ms, ${((100 * cost) / allowed).toFixed(0)} %\n`,
    );
  }
  process.stdout.write(
    `${result.kept ? 'The budget was kept in every minute' : 'The budget was NOT kept'}.\n`,
  );
  process.exitCode = result.kept ? 0 : 1;
}

function cpuOf({ overhead }: Snapshot): number {
  if (overhead.targetCpuSeconds === null) {
    throw new Error("the service's CPU time cannot be read");
  }
  return overhead.targetCpuSeconds;
}
