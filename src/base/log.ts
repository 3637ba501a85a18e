import { hidden } from './secrets.ts';
import { jsonLineOf, STDERR } from './terminal.ts';

/** What a line of the log may look like: for people, or a JSON document with `time`, `level` and `message`. */
export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Severities of messages for the user, the least first. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Takes one sentence for the user. */
export type Log = (level: LogLevel, sentence: string) => void;

/** Sentences of one kind that are written in each period; of the others it is said how many there were. */
const MOST_OF_A_KIND = 60;
const PERIOD_MILLIS = 60_000;

/** Of one kind are sentences that differ in numbers only. */
interface Kind {
  written: number;
  leftOut: number;
  /** The last that was left out. */
  last: { readonly level: LogLevel; readonly sentence: string } | undefined;
}

let format: LogFormat = 'text';
let least: LogLevel = 'info';
const KINDS = new Map<string, Kind>();
let period: NodeJS.Timeout | undefined;

/** Says how sentences are written from now on, and which. */
export function configureLog(options: { readonly format: LogFormat; readonly level: LogLevel }): void {
  format = options.format;
  least = options.level;
  STDERR.allowLive(format === 'text');
}

/** Writes one sentence for the user to stderr, as one line, unless there were very many like it. */
export function log(level: LogLevel, sentence: string): void {
  if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) {
    return;
  }
  // What ends mapscope is said whatever came before.
  if (level === 'error' || mayBeWritten(level, sentence)) {
    write(level, sentence);
  }
}

function mayBeWritten(level: LogLevel, sentence: string): boolean {
  period ??= setInterval(tellLeftOut, PERIOD_MILLIS).unref();
  const shape = `${level} ${sentence.replace(/\d+/g, '#')}`;
  const kind = KINDS.get(shape) ?? { written: 0, leftOut: 0, last: undefined };
  KINDS.set(shape, kind);
  if (kind.written < MOST_OF_A_KIND) {
    kind.written++;
    return true;
  }
  kind.leftOut++;
  kind.last = { level, sentence };
  return false;
}

/** Says how many sentences were left out since the last time: at the end of each period, and of mapscope. */
export function tellLeftOut(): void {
  clearInterval(period);
  period = undefined;
  for (const { leftOut, last } of KINDS.values()) {
    if (last !== undefined) {
      const others = leftOut === 1 ? '' : ` (and ${leftOut - 1} more like it)`;
      write(last.level, last.sentence + others);
    }
  }
  KINDS.clear();
}

/** Writes what a defect of mapscope says of itself, whose stack has a line for each call. */
export function logDefect(error: unknown): void {
  const message = `internal error: ${(error as Error)?.stack ?? error}`;
  if (format === 'json') {
    write('error', message);
    return;
  }
  STDERR.write(...hidden(`mapscope: ${message}`).split('\n'));
}

/** One line, whatever the sentence quotes: a file's name may have a line break in it. */
function write(level: LogLevel, text: string): void {
  const sentence = hidden(text);
  if (format === 'json') {
    const time = new Date().toISOString();
    STDERR.write(jsonLineOf({ time, level, message: sentence }).trimEnd());
    return;
  }
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
