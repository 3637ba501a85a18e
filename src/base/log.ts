import { STDERR } from './terminal.ts';

/** Severity of a message for the user. */
export type LogLevel = 'info' | 'warn';

/** Takes one sentence for the user. */
export type Log = (level: LogLevel, sentence: string) => void;

/** Writes one sentence for the user to stderr. */
export function log(level: LogLevel, sentence: string): void {
  STDERR.write(`mapscope: ${level === 'warn' ? 'warning: ' : ''}${sentence}`);
}

const SAID = new WeakMap<Log, Set<string>>();

/** The same log, but for sentences that it was already given in this way: several targets read the same settings. */
export function once(log: Log): Log {
  const said = SAID.get(log) ?? new Set();
  SAID.set(log, said);
  return (level, sentence) => {
    if (!said.has(sentence)) {
      said.add(sentence);
      log(level, sentence);
    }
  };
}
