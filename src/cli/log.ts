import type { Log } from '../export/delivery.ts';

/** Tells the user one sentence, on stderr. */
export const log: Log = (level, sentence) => {
  process.stderr.write(`mapscope: ${level === 'warn' ? 'warning: ' : ''}${sentence}\n`);
};
