// npm run races -- [RUNS]: processes that execute another program at random moments of an attach or a verification.

import { chooseRace, runRace } from './race.ts';

const runs = Number(process.argv[2] ?? 1000);
let failures = 0;
for (let number = 0; number < runs; number++) {
  const race = chooseRace(number, Math.random);
  try {
    await runRace(race);
  } catch (error) {
    failures++;
    process.stdout.write(`${number}: ${JSON.stringify(race)}: ${error}\n`);
  }
  if ((number + 1) % 50 === 0) {
    process.stdout.write(`${number + 1} races, ${failures} failed\n`);
  }
}
process.stdout.write(`${runs} races, ${failures} failed\n`);
process.exitCode = failures > 0 ? 1 : 0;
