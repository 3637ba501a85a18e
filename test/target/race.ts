import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { startCommand } from '../support/command.ts';
import { until } from '../support/until.ts';
import { reportsIn } from './attached.ts';
import { buildExecutes, Executes } from './executes.ts';

const NOTICED = /ha[sd] executed/;

/** How one race is run: an execve at some moment after mapscope has opened what the process executed before. */
export interface Race {
  readonly work: 'all' | 'windows' | 'verify';
  readonly by: 'exec' | 'thread';
  readonly file: 'same' | 'other';
  readonly delayMillis: number;
}

const WORKS = ['all', 'windows', 'verify'] as const;

/** One of all kinds of races, in turns, at a random moment of a start and the second after it. */
export function chooseRace(number: number, random: () => number): Race {
  return {
    work: WORKS[number % 3] ?? 'all',
    by: number % 2 === 0 ? 'exec' : 'thread',
    file: number % 4 < 2 ? 'same' : 'other',
    delayMillis: Math.round(2500 * random()),
  };
}

/** Runs a race; an error when the process is harmed, the execve not noticed, or a number wrong. */
export async function runRace({ work, by, file, delayMillis }: Race): Promise<void> {
  const first = await buildExecutes();
  const second = file === 'same' ? first : await buildExecutes('local', ['-gcflags=all=-N -l']);
  const ends: (() => void)[] = [];
  try {
    const service = await Executes.start({ after: (end) => ends.push(end) }, first);
    const command = start(service.pid, work);
    ends.push(() => command.child.kill('SIGKILL'));
    await until(
      () => holdsOpen(command.child.pid, first),
      () => `mapscope opens ${first}: ${command.said()}`,
    );
    await wait(delayMillis);
    await service.execute(second, by);
    await until(
      () => NOTICED.test(command.said()) || command.child.exitCode !== null,
      'the execve is noticed',
    );
    await until(() => command.child.exitCode !== null || hasLoaded(command.child.pid), 'it goes on');
    await wait(500);
    command.child.kill('SIGINT');
    const { status, report } = await command.ended;
    assert.match(command.said(), NOTICED);
    assert.equal(await service.wrongLookups(), 0);
    if (/before anything was observed/.test(command.said())) {
      return; // It was starting anew, and has reported nothing.
    }
    assert.equal(status, 0, command.said());
    if (work === 'verify') {
      assertAgrees(JSON.parse(report));
    } else {
      for (const { callSites } of reportsIn(report)) {
        assertShares(callSites);
      }
    }
  } finally {
    for (const end of ends) {
      end();
    }
  }
}

function start(pid: number, work: Race['work']) {
  const options =
    work === 'verify' ? ['verify', '--lookups', '1000000000'] : ['attach', '--mode', work, '--budget', '50%'];
  const child = startCommand([...options, '--pid', String(pid), '--format', 'json']);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  const output = text(child.stdout);
  const ended = once(child, 'close').then(async ([status]) => ({ status, report: await output }));
  return { child, said: () => said, ended };
}

const holdsOpen = (pid: number | undefined, path: string) => openFiles(pid).includes(path);

/** It holds a program in the kernel, and has not ended what it does with it. */
const hasLoaded = (pid: number | undefined) => openFiles(pid).some((file) => file.includes('bpf'));

function openFiles(pid: number | undefined): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`) ?? '');
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Nothing that was verified disagrees. */
function assertAgrees({ functions }: { functions: readonly { name: string; disagreed: number }[] }): void {
  assert.deepEqual(
    functions.filter(({ disagreed }) => disagreed > 0),
    [],
  );
}

/** Of three lookups of the service one is a miss. */
function assertShares(
  callSites: readonly { readonly function: string; readonly hits: number; readonly misses: number }[],
): void {
  const own = callSites.filter((site) => site.function === 'main.get');
  const hits = own.reduce((sum, site) => sum + site.hits, 0);
  const misses = own.reduce((sum, site) => sum + site.misses, 0);
  // At the ends of windows rounds are cut.
  assert.ok(Math.abs(hits - 2 * misses) <= 0.02 * hits + 200, `${hits} hits, ${misses} misses`);
}
