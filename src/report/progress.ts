import type { Terminal } from '../base/terminal.ts';
import { countOf, duration } from '../base/text.ts';
import { truncateRight } from '../base/width.ts';
import { totalOf } from '../model/accounts.ts';
import type { ObservationProgress } from '../model/snapshot.ts';

/** A line that shows the state of the observation while it runs. */
export interface Progress {
  /** Whether it goes to a terminal. */
  readonly visible: boolean;
  /** Shows the state. It skips calls in quick succession. */
  update(state: ObservationProgress): void;
  /** Removes the line, so that other text can be written. */
  clear(): void;
}

/** Fast enough to look alive, slow enough to be read. */
const SHORTEST_INTERVAL_MILLIS = 200;

/** Writes progress to a terminal. For anything else it does nothing. */
export function createProgress(terminal: Terminal): Progress {
  let last = Number.NEGATIVE_INFINITY;
  return {
    visible: terminal.isInteractive,
    update: (state) => {
      const now = performance.now();
      if (now - last >= SHORTEST_INTERVAL_MILLIS) {
        last = now;
        const text = progressText(state);
        terminal.setLive((columns) => truncateRight(text, columns));
      }
    },
    clear: () => terminal.setLive(undefined),
  };
}

/** The state of an observation in one line. */
export function progressText(state: ObservationProgress): string {
  const lost = totalOf(state.unreadable) + totalOf(state.dropped);
  return [
    duration(state.seconds),
    countOf(state.observed, 'lookup'),
    `${countOf(state.windows, 'window')} of ${duration(state.attachedSeconds)} in all`,
    ...(lost > 0 ? [`${countOf(lost, 'lookup')} not decoded or not recorded`] : []),
  ].join(', ');
}
