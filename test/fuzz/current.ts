import type { Recipe } from './recipe.ts';

const textStart = 24;
const size = 0x2_0000;

/** The input that is being tried, in memory that two threads share, so that one can tell what the other is stuck in. */
export class Current {
  readonly buffer: SharedArrayBuffer;
  readonly #numbers: Float64Array;
  readonly #text: Buffer;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(size)) {
    this.buffer = buffer;
    this.#numbers = new Float64Array(buffer, 0, 3);
    this.#text = Buffer.from(buffer, textStart);
  }

  begin(number: number, recipe: Recipe): void {
    this.#numbers[0] = 0;
    this.#numbers[1] = this.#text.write(JSON.stringify(recipe));
    this.#numbers[2] = number;
    this.#numbers[0] = Date.now();
  }

  end(): void {
    this.#numbers[0] = 0;
  }

  /** What has been tried for longer than `millis`, on the clock. */
  stuck(millis: number): { number: number; recipe: Recipe } | undefined {
    const [start = 0, length = 0, number = 0] = this.#numbers;
    if (start === 0 || Date.now() - start < millis) {
      return undefined;
    }
    try {
      return { number, recipe: JSON.parse(this.#text.toString('utf8', 0, length)) };
    } catch {
      return undefined; // It was being changed: not stuck after all.
    }
  }
}
