import type { TestEvent } from 'node:test/reporters';

const CLOSING_LINE = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** Adds up the closing lines of several runs, so that they can be told once, at the end of all. */
export class Totals {
  /** By the words of the closing lines, in their order. */
  readonly #sums = new Map<string, number>();
  #success = true;

  /** Of all runs so far. */
  get success(): boolean {
    return this.#success;
  }

  /** @returns whether the event is one of a run's closing lines, which is not to be reported */
  take({ type, data }: TestEvent): boolean {
    // Each file has a summary, too.
    if (type === 'test:summary' && data.file === undefined) {
      this.#success &&= data.success;
      return true;
    }
    if (type !== 'test:diagnostic' || data.nesting !== 0 || data.file !== undefined) {
      return false;
    }
    const [, word, number] = CLOSING_LINE.exec(data.message) ?? [];
    if (word === undefined) {
      return false;
    }
    this.#sums.set(word, (this.#sums.get(word) ?? 0) + Number(number));
    return true;
  }

  /** The closing lines of all runs together. */
  events(): TestEvent[] {
    return [...this.#sums].map(([word, sum]) => ({
      type: 'test:diagnostic',
      data: { nesting: 0, message: `${word} ${sum}`, level: 'info' },
    }));
  }
}
