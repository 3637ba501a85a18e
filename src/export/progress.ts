import type { Writable } from 'node:stream';
import type { Snapshot } from '../model/snapshot.ts';
import { totalOf } from '../model/summary.ts';
import { countOf, duration, truncateRight } from './text.ts';

/** A stream that may be a terminal, such as process.stderr. */
export type TerminalStream = Writable & { isTTY?: boolean; columns?: number };

/** One line that tells how the observation goes, while it goes. */
export interface Progress {
  /** Whether anybody sees it. */
  readonly visible: boolean;
  /** Shows the state; calls in quick succession are skipped. */
  update(snapshot: Snapshot): void;
  /** Removes the line, so that other text can follow. */
  clear(): void;
}

/** Fast enough to look alive, slow enough to be read. */
const SHORTEST_INTERVAL_MILLIS = 200;

const ERASE_LINE = '\r\x1b[2K';

/** Writes progress to a terminal; on anything else it does nothing. */
export function createProgress(stream: TerminalStream): Progress {
  if (stream.isTTY !== true) {
    return { visible: false, update: () => {}, clear: () => {} };
  }
  let shown = false;
  let last = Number.NEGATIVE_INFINITY;
  return {
    visible: true,
    update: (snapshot) => {
      const now = performance.now();
      if (now - last >= SHORTEST_INTERVAL_MILLIS) {
        last = now;
        shown = true;
        // One column less: some terminals wrap when the last one is written.
        stream.write(ERASE_LINE + truncateRight(progressText(snapshot), (stream.columns ?? 80) - 1));
      }
    },
    clear: () => {
      if (shown) {
        shown = false;
        stream.write(ERASE_LINE);
      }
    },
  };
}

/** The state of an observation in one line. */
export function progressText(snapshot: Snapshot): string {
  const lost = totalOf(snapshot.unreadable) + totalOf(snapshot.dropped);
  return [
    duration(snapshot.seconds),
    countOf(snapshot.observed, 'lookup'),
    `${countOf(snapshot.windows, 'window')} of ${duration(snapshot.attachedSeconds)} in all`,
    ...(lost > 0 ? [`${countOf(lost, 'lookup')} not decoded or not recorded`] : []),
  ].join(', ');
}
