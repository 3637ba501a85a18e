import type { ServerResponse } from 'node:http';

/** Pages that watch at the same time, at most. */
export const MOST_VIEWERS = 32;

/** Bytes that wait for a viewer who does not read them, at most: then it is dropped, and comes back by itself. */
const MOST_WAITING = 1 << 20;

/** How often a word is said to those for whom there is no news, so that they, proxies, and mapscope notice a broken connection. */
const PING_MILLIS = 10_000;

/** Those who watch (server-sent events). */
export class Viewers {
  readonly #viewers = new Map<ServerResponse, number>();
  readonly #timer = setInterval(() => this.#ping(), PING_MILLIS).unref();
  /** Viewers that were dropped because they did not read. */
  dropped = 0;

  get count(): number {
    return this.#viewers.size;
  }

  /** Whether there is room for one more. */
  get hasRoom(): boolean {
    return this.#viewers.size < MOST_VIEWERS;
  }

  /** Whether anybody watches this target. */
  watches(target: number): boolean {
    return [...this.#viewers.values()].includes(target);
  }

  /** From now on this one gets events, until it goes away. */
  add(response: ServerResponse, target: number): void {
    this.#viewers.set(response, target);
    response.on('close', () => this.#viewers.delete(response));
    response.on('error', () => {});
  }

  /** @param target undefined: to all */
  send(target: number | undefined, event: string, data: unknown): void {
    const text = eventText(event, data);
    for (const [response, watched] of this.#viewers) {
      if (target === undefined || watched === target) {
        this.#write(response, text);
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const response of this.#viewers.keys()) {
      response.end(eventText('end', {}));
    }
    this.#viewers.clear();
  }

  #ping(): void {
    for (const response of this.#viewers.keys()) {
      this.#write(response, ': still here\n\n');
    }
  }

  #write(response: ServerResponse, text: string): void {
    response.write(text);
    if (response.writableLength > MOST_WAITING) {
      this.dropped++;
      this.#viewers.delete(response);
      response.destroy();
    }
  }
}

/** JSON has no line breaks. */
export function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
