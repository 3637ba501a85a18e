import { setTimeout as delay } from 'node:timers/promises';
import { log } from '../../base/log.ts';
import type { ExitStatus } from '../../kernel/addon.ts';
import type { OutputFile } from '../../report/output-file.ts';

/** What a program that is ending may take until it has, in milliseconds: nobody needs to be told of that. */
const ENDING_MILLIS = 1000;

/**
 * For a program that was started and is observed no longer: how it ended, when that is to be in the report. A report on stdout
 * waits for the program's end, for it is the program's stdout too. One in a file does not: the program may run for ever. It is the
 * user's, and nobody ends it because an observation is over.
 *
 * @param name what the user called it
 * @returns undefined when the report is to be written while it runs
 */
export async function endBeforeReport(
  name: string,
  exit: Promise<ExitStatus>,
  output: OutputFile | undefined,
): Promise<ExitStatus | undefined> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const ended = await Promise.race([
    exit,
    delay(ENDING_MILLIS, undefined, { signal }).catch(() => undefined),
  ]);
  waiting.abort();
  if (ended !== undefined) {
    return ended;
  }
  const report =
    output === undefined ? 'The report follows when it ends.' : `The report goes to ${output.path} now.`;
  log('info', `${name} runs on, and nothing of it is observed any more. ${report}`);
  return output === undefined ? await exit : undefined;
}
