// What a person waits for before anything is observed: help, version and doctor are there within 300 ms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine } from '../support/command.ts';
import { timed } from '../support/timed.ts';

const LIMIT = { timeout: 120_000 };

/** More than once: what other processes do to caches is not the command's. */
const TRIES = 7;

const MOST_SECONDS = 0.3;

const COMMANDS = [
  ['--version'],
  ['--help'],
  ['attach', '--help'],
  ['doctor'],
  ['completion', 'bash'],
  ['go-processes'],
];

for (const args of COMMANDS) {
  test(`${args.join(' ')} takes less than ${1000 * MOST_SECONDS} ms`, LIMIT, async () => {
    const seconds: number[] = [];
    for (let i = 0; i < TRIES; i++) {
      const { end, cpu } = await timed(commandLine(...args));
      // A machine that lacks something is not what is tested here.
      assert.ok(end.exitCode === 0 || (args[0] === 'doctor' && end.exitCode === 3), JSON.stringify(end));
      seconds.push(cpu);
    }
    // CPU time, and the least of it: the machine may be busy.
    assert.ok(Math.min(...seconds) < MOST_SECONDS, `${seconds}`);
  });
}
