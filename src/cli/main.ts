#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, messageOf, UserError } from '../base/errors.ts';
import { log, logDefect, tellLeftOut } from '../base/log.ts';
import { hideSecretsOf } from '../base/secrets.ts';
import { commandLine } from './command-line.ts';
import { exitNow } from './exit.ts';

/** Prints what went wrong. @returns the exit status */
function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (error instanceof UserError) {
    log('error', messageOf(error));
  } else {
    logDefect(error);
  }
  return error instanceof UserError ? error.exitStatus : EXIT.failed;
}

async function run(): Promise<number> {
  try {
    await commandLine().parseAsync();
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    return fail(error);
  }
}

hideSecretsOf(process.env);
const STATUS = await run();
tellLeftOut();
// A connection to a collector that never answers would keep the process for seconds; the report has been written.
exitNow(STATUS);
