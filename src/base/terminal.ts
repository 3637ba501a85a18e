/*
 * What a person reads leaves the process here: each line is cleaned on its way out, whoever wrote it, because names in it
 * come from binaries that nobody has vetted.
 */

import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { printable } from './text.ts';

/** A stream that may be a terminal, such as process.stderr. */
export type TerminalStream = Writable & { isTTY?: boolean; columns?: number };

/** A line without its line feed, as it is or in a style. */
export type Line = string | { readonly text: string; readonly style: 'bold' | 'yellow' };

declare const CHECKED: unique symbol;

/** Text that may go to a terminal: lines that were cleaned, or JSON, which escapes what is in strings. */
export type SafeText = string & { readonly [CHECKED]: true };

/**
 * Lines as text. A control character becomes "?", a line feed too: only mapscope ends lines.
 *
 * @param stream gets colours, unless it is no terminal, is a poor one, or NO_COLOR or FORCE_COLOR say otherwise; without a
 *   stream there are none
 */
export function textOf(lines: readonly Line[], stream?: TerminalStream): SafeText {
  return lines.map((line) => `${cleaned(line, stream)}\n`).join('') as SafeText;
}

function cleaned(line: Line, stream: TerminalStream | undefined): string {
  if (typeof line === 'string') {
    return printable(line);
  }
  const text = printable(line.text);
  return stream === undefined ? text : styleText(line.style, text, { stream });
}

/** A text that the user has written, as it is: on a terminal like any other one. */
export function ownText(text: string, stream: TerminalStream): SafeText {
  return stream.isTTY ? textOf(text.replace(/\n$/, '').split('\n')) : (text as SafeText);
}

/** Gives what JSON has no form for another one. */
export type Replacer = (key: string, value: unknown) => unknown;

/** A JSON document, indented. */
export function jsonOf(document: unknown, replacer?: Replacer): SafeText {
  return `${JSON.stringify(document, replacer, 2)}\n` as SafeText;
}

/** A JSON document in one line. */
export function jsonLineOf(document: unknown, replacer?: Replacer): SafeText {
  return `${JSON.stringify(document, replacer)}\n` as SafeText;
}

const ERASE_LINE = '\r\x1b[2K';

/** The columns of a terminal. One that nobody has given a size says 0. */
export function columnsOf(stream: TerminalStream): number {
  return stream.columns || 80;
}

/** A line of at most so many columns. */
export type LiveLine = (columns: number) => string;

/** A stream that whole lines are written to; on a terminal one more may live below them, which is rewritten in place. */
export class Terminal {
  readonly #stream: TerminalStream;
  #live: LiveLine | undefined;
  #isLiveAllowed = true;

  constructor(stream: TerminalStream) {
    this.#stream = stream;
    // When nobody listens any more, what is observed is still worth a report.
    stream.on('error', () => {});
  }

  /** Whether a live line is seen by anybody. */
  get isInteractive(): boolean {
    return this.#isLiveAllowed && this.#stream.isTTY === true;
  }

  /** Whether there may be a live line at all: it is nothing for those who read line by line. */
  allowLive(isAllowed: boolean): void {
    if (!isAllowed) {
      this.setLive(undefined);
    }
    this.#isLiveAllowed = isAllowed;
  }

  write(...lines: readonly Line[]): void {
    this.#stream.write(this.#erased() + textOf(lines, this.#stream) + this.#drawn());
  }

  /** Shows a line in place of the one before; without one takes that away. Elsewhere than on a terminal nothing happens. */
  setLive(line: LiveLine | undefined): void {
    if (!this.isInteractive || (line === undefined && this.#live === undefined)) {
      return;
    }
    this.#live = line;
    this.#stream.write(ERASE_LINE + this.#drawn());
  }

  #erased(): string {
    return this.#live === undefined ? '' : ERASE_LINE;
  }

  #drawn(): string {
    // One column less: some terminals wrap when the last one is written.
    return this.#live === undefined ? '' : printable(this.#live(columnsOf(this.#stream) - 1));
  }
}

/** The only writer to stderr: the live line and the warnings share it. */
export const STDERR = new Terminal(process.stderr);
