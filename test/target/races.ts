// npm run races -- [RUNS] [--at-once N]: processes that execute another program at random moments of an attach or a verification.

import { parseArgs } from 'node:util';
import { buildExecutes } from './executes.ts';
import { chooseRace, runRace } from './race.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'at-once': { type: 'string', default: '1' } },
});
const runs = Number(positionals[0] ?? 1000);
const atOnce = Number(values['at-once']);
if (!(Number.isInteger(runs) && Number.isInteger(atOnce) && runs > 0 && atOnce > 0)) {
  process.stderr.write('usage: npm run races -- [RUNS] [--at-once N]\n');
  process.exit(2);
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const started = performance.now();
let next = 0;
let over = 0;
let failures = 0;

/** Runs one race after the other, as long as there are some. */
async function runRaces(): Promise<void> {
  while (next < runs) {
    const number = next++;
    const race = chooseRace(number, Math.random);
    try {
      await runRace(race);
    } catch (error) {
      failures++;
      say(`${number}: ${JSON.stringify(race)}: ${error}`);
    }
    over++;
    if (over % 50 === 0) {
      sayState();
    }
  }
}

function sayState(): void {
  const minutes = (performance.now() - started) / 60_000;
  say(`${over} races in ${minutes.toFixed(1)} min, ${failures} failed`);
}

// Each is built once, not by all at the same time.
await buildExecutes();
await buildExecutes('local', ['-gcflags=all=-N -l']);
await Promise.all(Array.from({ length: atOnce }, runRaces));
sayState();
process.exitCode = failures > 0 ? 1 : 0;
