import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { log } from '../base/log.ts';
import type { Settings } from '../config/settings.ts';
import type { Executables, Prepared } from './executables.ts';
import type { ObservedTarget } from './observed-target.ts';
import type { Later, Running } from './through-execs.ts';

/** How often a process is looked at. What it maps is there for one look before it is opened, so that it is loaded by then. */
const LOOK_MILLIS = 500;

/**
 * Observes images of Go that a process maps while it is observed: plugins, and libraries. They share the budget with the others.
 *
 * @param settingsNow what is in force then
 * @param start observes one, as the settings that it is given say
 */
export function laterImages(
  executables: Executables,
  settingsNow: () => Settings,
  start: (pid: number, image: Prepared, settings: Settings) => Promise<ObservedTarget>,
): Later {
  return async (running, over) => {
    const { pid } = running[0].target;
    const images = await nextImages(running, executables, over);
    const started: ObservedTarget[] = [];
    const settings = settingsNow();
    const budget = settings.budget / (running.length + images.length);
    for (const image of images) {
      try {
        started.push(await start(pid, image, { ...settings, budget }));
        log('info', `Process ${pid} has mapped ${image.executable.name}, which is observed from here on.`);
      } catch (error) {
        image.executable.close();
        log('warn', messageOf(error));
      }
    }
    if (over.aborted || hasExecuted(running)) {
      await Promise.all(started.map((observed) => observed.stop()));
      return [];
    }
    for (const observed of running) {
      observed.setBudget(settingsNow().budget / (running.length + started.length));
    }
    return started;
  };
}

/** What is mapped then is of another program, which is looked at anew when that has been noticed. */
function hasExecuted([first]: Running): boolean {
  return first.isReplaced();
}

/** The next images that a process maps; none when the observation is over, or the process cannot map any. */
async function nextImages(
  running: Running,
  executables: Executables,
  over: AbortSignal,
): Promise<Prepared[]> {
  const { pid } = running[0].target;
  try {
    while (executables.mayMapMore(pid)) {
      await delay(LOOK_MILLIS, undefined, { signal: over, ref: false });
      const images = await executables.openLater(pid);
      if (hasExecuted(running)) {
        for (const { executable } of images) {
          executable.close();
        }
        return [];
      }
      if (images.length > 0) {
        return images;
      }
    }
  } catch {
    // The observation is over, or the process is, which others notice.
  }
  return [];
}
