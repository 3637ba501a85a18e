import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

const MOST = 10;

/** Remembers how long the files of a run took. */
export class SlowestFiles {
  readonly #millis = new Map<string, number>();

  see({ type, data }: TestEvent): void {
    if (type === 'test:summary' && data.file !== undefined) {
      this.#millis.set(data.file, data.duration_ms);
    }
  }

  /** Lines about the slowest ones. @param root files are named relative to it */
  events(root: string): TestEvent[] {
    const slowest = [...this.#millis].sort(([, a], [, b]) => b - a).slice(0, MOST);
    const lines = slowest.map(
      ([file, millis]) => `${(millis / 1000).toFixed(1).padStart(7)} s  ${relative(root, file)}`,
    );
    return ['the slowest files:', ...lines].map((message) => ({
      type: 'test:diagnostic',
      data: { nesting: 0, message, level: 'info' },
    }));
  }
}
