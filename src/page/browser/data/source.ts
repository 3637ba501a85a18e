import type {
  IntervalEvent,
  NowDocument,
  PageDocument,
  StateDocument,
  TargetDocument,
} from '../../format/document.ts';

/** What happens while a page is open. */
export interface Listener {
  state(state: StateDocument): void;
  /** @returns the number of the newest snapshot that is known now */
  interval(event: IntervalEvent): number;
  now(now: NowDocument | null): void;
  /** All has to be fetched anew. */
  restart(): void;
  /** Whether the sidecar is reached; undefined: the observation has ended. */
  connected(is: boolean | undefined): void;
}

/** Where the page has its data from. */
export interface Source {
  /** When a file was written; undefined for a live one. */
  readonly written: number | undefined;
  state(): Promise<StateDocument>;
  target(id: number): Promise<TargetDocument>;
  /** @returns a function that ends it */
  listen(id: number, newest: number, listener: Listener): () => void;
}

/** The data that is part of the page's file; undefined when a sidecar serves the page. */
export function fileSource(): Source | undefined {
  const text = document.getElementById('data')?.textContent;
  if (!text) {
    return undefined;
  }
  const page: PageDocument = JSON.parse(text);
  return {
    written: page.written,
    state: () => Promise.resolve(page),
    target: (id) => {
      const found = page.documents.find((one) => one.id === id) ?? page.documents[0];
      return found === undefined
        ? Promise.reject(new Error('The file holds no target.'))
        : Promise.resolve(found);
    },
    listen: () => () => {},
  };
}

/** A running sidecar. */
export const LIVE_SOURCE: Source = {
  written: undefined,
  state: () => fetched('state.json'),
  target: (id) => fetched(`target.json?id=${id}`),
  listen: (id, newest, listener) => {
    let last = newest;
    let events: EventSource;
    let ended = false;
    const open = () => {
      events = new EventSource(`events?id=${id}&after=${last}`);
      const on = <T>(name: string, take: (data: T) => void) =>
        events.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent).data)));
      on<StateDocument>('state', (state) => listener.state(state));
      on<NowDocument | null>('now', (now) => listener.now(now));
      on<IntervalEvent>('interval', (event) => {
        last = listener.interval(event);
      });
      on('restart', () => listener.restart());
      on('end', () => {
        ended = true;
        events.close();
        listener.connected(undefined);
      });
      events.onopen = () => listener.connected(true);
      // The browser would ask again for what it has seen: a new request says what that is.
      events.onerror = () => {
        events.close();
        if (!ended) {
          listener.connected(false);
          retry = setTimeout(open, RETRY_MILLIS);
        }
      };
    };
    let retry: ReturnType<typeof setTimeout> | undefined;
    open();
    return () => {
      ended = true;
      clearTimeout(retry);
      events.close();
    };
  },
};

const RETRY_MILLIS = 1_500;

async function fetched<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) {
    throw new Error(`${path}: ${(await response.text()).trim() || response.statusText}`);
  }
  return await response.json();
}
