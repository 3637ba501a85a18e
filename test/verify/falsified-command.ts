/*
 * A command of mapscope, told something wrong about the program: node falsified-command.ts LIE verify|run PROGRAM ARGS.
 * Prints what the command prints and ends as it does. `run` reports as JSON; it observes and verifies every lookup.
 */
import { run } from '../../src/cli/commands/run.ts';
import { verifyProgram } from '../../src/cli/commands/verify.ts';
import { readSettings } from '../../src/config/settings.ts';
import { openTarget } from '../../src/session/target.ts';
import type { Executable } from '../../src/target/executable.ts';
import { falsify, type Lie } from './falsify.ts';

/** More lookups than any program here makes. */
const EVERY = 1e9;

const [lie, command, program = '', ...args] = process.argv.slice(2);
const open = (executable: Executable) => falsify(openTarget(executable), lie as Lie);
if (command === 'verify') {
  process.exitCode = await verifyProgram(program, args, readSettings({}), open);
} else {
  await run(program, args, readSettings({ mode: 'all', format: 'json', verify: true, lookups: EVERY }), open);
}
