import { statSync } from 'node:fs';
import { otlpSettings } from '../export/otlp-config.ts';
import type { GoBinary } from '../gobinary/index.ts';
import type { Preparation } from '../observe/preparation.ts';
import { prepareApart } from '../observe/prepareapart.ts';
import type { Settings } from './settings.ts';
import { openTarget } from './target.ts';

/** An executable that was read, and what was worked out from it; without that the observation does it. */
export interface Prepared {
  readonly binary: GoBinary;
  readonly preparation: Preparation | undefined;
}

/** Opens executables for observation. Processes that run the same file share what was read of it. */
export class Executables {
  readonly #settings: Settings;
  readonly #known = new Map<string, Prepared>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** @param shown what the user is told it is, if it cannot be observed */
  async open(path: string, shown: string): Promise<Prepared> {
    const identity = identityOf(path);
    const known = identity === undefined ? undefined : this.#known.get(identity);
    if (known !== undefined) return known;
    const binary = openTarget(path, shown, this.#settings);
    const preparation = await prepareApart(path, {
      allowUnknown: this.#settings.allowUnknownGo,
      traces: mayFollowSpans(this.#settings),
    });
    const prepared = { binary, preparation };
    if (identity !== undefined) this.#known.set(identity, prepared);
    return prepared;
  }
}

/** Whether spans are probably to be followed. If it is found out later that they are, that is planned then. */
function mayFollowSpans({ traceSources, otlpEndpoint, spikes }: Settings): boolean {
  const told = spikes !== undefined || otlpSettings(otlpEndpoint, process.env, () => {}) !== undefined;
  return told && traceSources.some((source) => source !== 'labels' && source !== 'obi');
}

/** Tells files apart, also changed ones; undefined when there is none, which opening it will say. */
function identityOf(path: string): string | undefined {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status && [status.dev, status.ino, status.size, status.mtimeNs].join(' ');
}
