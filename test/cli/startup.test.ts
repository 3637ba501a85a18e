// What a person waits for before anything is observed: help, version and doctor are there within 300 ms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine } from '../support/command.ts';
import { timed } from '../support/timed.ts';

const LIMIT = { timeout: 120_000 };

/** More than once: what other processes do to caches is not the command's. */
const TRIES = 7;

/** CPU time, in seconds. */
const MOST = 0.3;

/** `doctor` takes that time on several CPUs: it loads programs beside one another, which is most of what it does. */
const MOST_OF_DOCTOR = 0.45;

const COMMANDS = [
  ['--version'],
  ['--help'],
  ['attach', '--help'],
  ['doctor'],
  ['completion', 'bash'],
  ['go-processes'],
];

for (const args of COMMANDS) {
  const most = args[0] === 'doctor' ? MOST_OF_DOCTOR : MOST;
  test(`${args.join(' ')} takes less than ${1000 * most} ms of CPU time`, LIMIT, async () => {
    const seconds: number[] = [];
    for (let i = 0; i < TRIES; i++) {
      const { end, cpu } = await timed(commandLine(...args));
      // A machine that lacks something is not what is tested here.
      assert.ok(end.exitCode === 0 || (args[0] === 'doctor' && end.exitCode === 3), JSON.stringify(end));
      seconds.push(cpu);
    }
    // The least of them: the machine may be busy.
    assert.ok(Math.min(...seconds) < most, `${seconds}`);
  });
}
