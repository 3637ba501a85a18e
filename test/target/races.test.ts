// An execve at a random moment of an attach or a verification. `npm run races` runs a thousand of these.

import { test } from 'node:test';
import { chooseRace, runRace } from './race.ts';

for (let number = 0; number < 24; number++) {
  const race = chooseRace(number, Math.random);
  const { work, by, file, delayMillis } = race;
  test(`${work}: ${by} of the ${file} file after ${delayMillis} ms`, { timeout: 120_000 }, async () => {
    await runRace(race);
  });
}
