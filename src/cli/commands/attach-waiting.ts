import { log } from '../../base/log.ts';
import type { Settings } from '../../config/settings.ts';
import { Fleet } from '../../session/fleet.ts';
import type { SeenProcess } from '../../session/through-execs.ts';
import type { Selection } from '../../target/finding/selection.ts';
import { openPage } from '../page.ts';
import { EndingSignals, endWanted } from '../signals.ts';
import { openOutput, report, summaryOf } from '../write-reports.ts';

/** Of so many processes, the latest, there is a report; a service may be started anew for days. */
const MOST_REPORTED = 100;

/** `mapscope attach --wait`: observes what comes, too, until the duration is over or a signal comes. */
export async function attachWaiting(selection: Selection, settings: Settings): Promise<void> {
  const signals = new EndingSignals();
  const requested = endWanted(signals, settings);
  const output = await openOutput(settings);
  const page = await openPage(settings);
  const seen: SeenProcess[] = [];
  let left = 0;
  const { missed } = await new Fleet(
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
  ).run();
  signals.finishing();
  sayWhatIsNotReported(seen.length, left, missed);
  const images = seen.flatMap((process) => process.images);
  const summaries = images.map((image) => summaryOf(image, settings, page));
  await report(summaries, settings, output, page);
  signals.done();
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
