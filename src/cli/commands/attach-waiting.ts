import { EXIT, UserError } from '../../base/errors.ts';
import { log } from '../../base/log.ts';
import type { SelectionOptions } from '../../config/criteria.ts';
import { Fleet } from '../../session/fleet.ts';
import type { SeenProcess } from '../../session/through-execs.ts';
import { hasTerminal } from '../../target/process.ts';
import { type Asked, readAsked } from '../asked.ts';
import { openPage } from '../page.ts';
import { Reloading } from '../reloading.ts';
import { EndingSignals, endWanted } from '../signals.ts';
import { openOutput, report, summaryOf } from '../write-reports.ts';

/** Of so many processes, the latest, there is a report; a service may be started anew for days. */
const MOST_REPORTED = 100;

/**
 * `mapscope attach --wait`: observes what comes, too, until the duration is over or a signal comes. Where it has no terminal that could hang
 * up, SIGHUP has it read its configuration file again.
 *
 * @param first what `options` ask for
 */
export async function attachWaiting(options: SelectionOptions, first: Asked): Promise<void> {
  const { selection, settings } = first;
  const signals = new EndingSignals();
  const { config } = options;
  const reloading =
    typeof config === 'string' && !hasTerminal(process.pid)
      ? new Reloading(signals, { path: config, first, read: () => readAgain(options), withReport: true })
      : undefined;
  const requested = endWanted(signals, settings);
  const output = await openOutput(settings);
  const page = await openPage(settings);
  const seen: SeenProcess[] = [];
  let left = 0;
  const fleet = new Fleet(
    {
      selection,
      settings,
      ...(page !== undefined && { watcher: page }),
      onSeen: (process) => {
        seen.push(process);
        if (seen.length > MOST_REPORTED) {
          seen.shift();
          left++;
        }
      },
    },
    requested,
  );
  const running = fleet.run();
  reloading?.of(fleet);
  const { missed } = await running;
  signals.finishing();
  sayWhatIsNotReported(seen.length, left, missed);
  const images = seen.flatMap((process) => process.images);
  const summaries = images.map((image) => summaryOf(image, settings, page));
  await report(summaries, settings, output, page);
  signals.done();
}

/** @throws UserError also when nothing would be observed any more */
function readAgain(options: SelectionOptions): Asked {
  const asked = readAsked(options);
  if (asked.selection.rules.length === 0) {
    throw new UserError('No rule includes a process.', EXIT.usage);
  }
  return asked;
}

function sayWhatIsNotReported(seen: number, left: number, missed: number): void {
  if (seen === 0) {
    log('info', 'No process was observed.');
  }
  if (left > 0) {
    log('warn', `The report is of the last ${seen} processes; ${left} before them are left out.`);
  }
  if (missed > 0) {
    log('warn', `${missed} processes had ended before they could be observed.`);
  }
}
