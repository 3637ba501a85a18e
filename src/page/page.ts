import { randomBytes } from 'node:crypto';
import type { SafeText } from '../base/terminal.ts';
import { VERSION } from '../base/version.ts';
import type { ExemplarCandidate } from '../model/candidate.ts';
import type { ObservationMode, Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import { pageFile } from './file.ts';
import {
  type IntervalEvent,
  type NowDocument,
  PAGE_SCHEMA,
  type PageDocument,
  type StateDocument,
  type TargetDocument,
} from './format/document.ts';
import { HISTORY_BYTES, History } from './history/history.ts';
import { nowDocument, targetFacts } from './history/now.ts';
import { type Address, parseAddress } from './server/address.ts';
import { readAssets } from './server/assets.ts';
import { PageServer, type PageSource } from './server/server.ts';

export interface PageOptions {
  /** Where to serve it: an address, or true for the default one; undefined: it is not served. */
  readonly ui: string | boolean | undefined;
  /** Template of links to traces. */
  readonly traceUrl: string | undefined;
}

/** Takes what is seen of one target. */
export interface TargetWatch {
  /** @param candidates lookups that may be shown in full */
  take(snapshot: Snapshot, candidates: readonly ExemplarCandidate[]): void;
  /** The observation is over. */
  end(last: Snapshot, candidates: readonly ExemplarCandidate[]): void;
}

/** How often what has no history is told to viewers, in snapshots. */
const NOW_EVERY = 2;

/** Bytes of history in a file: in base64, with the page, it stays below 5 MB. */
const FILE_BYTES = 3 << 20;

interface Watched {
  readonly target: Target;
  readonly mode: ObservationMode;
  readonly history: History;
  now: NowDocument | null;
  ended: boolean;
  summary: unknown;
}

/** The page: a history of each target, and who looks at it. */
export class Page implements PageSource {
  readonly #watched: Watched[] = [];
  readonly #traceUrl: string | null;
  readonly #assets = readAssets();
  #server: PageServer | undefined;

  private constructor(traceUrl: string | undefined) {
    this.#traceUrl = traceUrl ?? null;
  }

  /** Opens the page, and serves it when that is asked for. @throws UserError when it cannot be served there */
  static async open({ ui, traceUrl }: PageOptions): Promise<Page> {
    const page = new Page(traceUrl);
    if (ui) {
      const address: Address | undefined = typeof ui === 'string' ? parseAddress(ui) : undefined;
      const token = process.env.MAPSCOPE_UI_TOKEN || randomBytes(18).toString('base64url');
      page.#server = await PageServer.listen({ address, token, source: page, assets: page.#assets });
    }
    return page;
  }

  /** Where it is served; undefined when it is not. */
  get url(): string | undefined {
    return this.#server?.url;
  }

  /** Those who look at it now. */
  get viewers(): number {
    return this.#server?.viewers.count ?? 0;
  }

  /** Begins a history. */
  watch(target: Target, mode: ObservationMode): TargetWatch {
    const history = new History(() => HISTORY_BYTES / this.#watched.length);
    const watched: Watched = { target, mode, history, now: null, ended: false, summary: null };
    const id = this.#watched.push(watched) - 1;
    this.#server?.viewers.send(undefined, 'state', this.state());
    let snapshots = 0;
    const take = (snapshot: Snapshot, candidates: readonly ExemplarCandidate[]) => {
      const event = history.take(snapshot, candidates);
      if (event === undefined) {
        return;
      }
      watched.now = nowDocument(snapshot);
      if (this.#server?.viewers.watches(id)) {
        this.#server.viewers.send(id, event === 'restart' ? 'restart' : 'interval', event);
        if (snapshots++ % NOW_EVERY === 0) {
          this.#server.viewers.send(id, 'now', watched.now);
        }
      }
    };
    return {
      take,
      end: (last, candidates) => {
        take(last, candidates);
        watched.ended = true;
        this.#server?.viewers.send(id, 'now', watched.now);
        this.#server?.viewers.send(undefined, 'state', this.state());
      },
    };
  }

  /** The report of a target, to be part of the file. */
  setSummary(target: Target, summary: unknown): void {
    const watched = this.#watched.find((one) => one.target === target);
    if (watched !== undefined) {
      watched.summary = summary;
    }
  }

  state(): StateDocument {
    return {
      schema: PAGE_SCHEMA,
      version: VERSION,
      traceUrl: this.#traceUrl,
      historyBytes: HISTORY_BYTES,
      targets: this.#watched.map(({ target, mode, ended }, id) => ({
        id,
        facts: targetFacts(target, mode),
        ended,
      })),
    };
  }

  target(id: number, bytes?: number): TargetDocument | undefined {
    const watched = this.#watched[id];
    if (watched === undefined) {
      return undefined;
    }
    const { target, mode, ended, now, history, summary } = watched;
    return { id, facts: targetFacts(target, mode), ended, now, history: history.document(bytes), summary };
  }

  since(id: number, newest: number): IntervalEvent[] | undefined {
    return this.#watched[id]?.history.since(newest);
  }

  now(id: number): NowDocument | null {
    return this.#watched[id]?.now ?? null;
  }

  /** All of it as one HTML file. */
  file(): SafeText {
    const bytes = FILE_BYTES / Math.max(1, this.#watched.length);
    const documents = this.#watched.flatMap((_, id) => this.target(id, bytes) ?? []);
    return pageFile(this.#assets, documentOf(this.state(), documents));
  }

  /** Ends the connections of all viewers. */
  async close(): Promise<void> {
    await this.#server?.close();
  }
}

/** What the file holds. */
function documentOf(state: StateDocument, documents: TargetDocument[]): PageDocument {
  return { ...state, written: Date.now() * 1000, documents };
}
