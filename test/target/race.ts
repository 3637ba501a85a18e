import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { addon } from '../../src/kernel/addon.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import { MappedBinary } from '../../src/target/mapped.ts';
import { opened } from '../support/opened.ts';
import { until } from '../support/until.ts';
import { Command, reportsIn } from './attached.ts';
import { decoded, verified } from './counted.ts';
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

/**
 * Runs a race.
 *
 * @throws when the process is harmed, the execve not noticed, what it executes not observed, a number wrong, or mapscope does not end
 */
export async function runRace(race: Race): Promise<void> {
  const first = await buildExecutes();
  const second = race.file === 'same' ? first : await buildExecutes('local', ['-gcflags=all=-N -l']);
  const ends: (() => void)[] = [];
  try {
    const service = await Executes.start({ after: (end) => ends.push(end) }, first);
    const command = start(service.pid, race.work);
    ends.push(() => command.kill('SIGKILL'));
    await command.until(() => command.files().includes(first), `mapscope opens ${first}`);
    await wait(race.delayMillis);
    await service.execute(second, race.by);
    await command.until(() => NOTICED.test(command.said), 'the execve is noticed');
    // A verification that has begun before ends with what it has seen.
    const seen = race.work === 'verify' ? verified : decoded;
    await command.until(() => seen(command.pid) > 0, 'what it executes is observed');
    command.kill('SIGINT');
    await assertReport(race, command);
    assert.equal(await service.wrongLookups(), 0);
    assert.deepEqual(breakpointsIn(service.pid), []);
  } finally {
    for (const end of ends) {
      end();
    }
  }
}

function start(pid: number, work: Race['work']): Command {
  const what =
    work === 'verify'
      ? ['verify', '--lookups', '1000000000', '--duration', '100s']
      : ['attach', '--mode', work, '--budget', '50%'];
  return new Command([...what, '--pid', String(pid), '--format', 'json']);
}

async function assertReport({ work }: Race, command: Command): Promise<void> {
  await until(
    () => !command.isRunning,
    () => `mapscope ends: ${command.said}${threadsOf(command.pid)}`,
  );
  const { status, stdout } = await command.ended;
  assert.match(command.said, NOTICED);
  assert.equal(status, 0, command.said);
  if (work === 'verify') {
    assertAgrees(JSON.parse(stdout));
    return;
  }
  for (const { callSites } of reportsIn(stdout)) {
    assertShares(callSites);
  }
}

/** What the main thread of a process waits for, for the message about one that does not end. */
function threadsOf(pid: number): string {
  try {
    return ['status', 'wchan', 'stack']
      .map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
      .join('\n');
  } catch {
    return '';
  }
}

/** By path: the sites of an executable do not change. */
const plans = new Map<string, Pick<ReturnType<typeof planProbes>, 'sites'>>();

/** Addresses of instructions that are not what they are in the file. */
function breakpointsIn(pid: number): number[] {
  const { executable, binary } = opened(pid);
  try {
    const { bias } = MappedBinary.of(pid, executable, binary);
    const { sites } = plans.get(executable.name) ?? planProbes(binary);
    plans.set(executable.name, { sites });
    assert.ok(sites.length > 0);
    return sites
      .filter((site) => addon.readMemory(pid, BigInt(site.address + bias), 1)[0] !== site.bytes[0])
      .map((site) => site.address);
  } finally {
    executable.close();
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
