import type { NowDocument, StateDocument } from '../format/document.ts';
import type { Source } from './data/source.ts';
import { Timeline } from './data/timeline.ts';
import { byId, el, setShown, setText } from './dom.ts';
import { Model } from './model.ts';
import { baseName, clock, moment, span } from './numbers.ts';
import { readState, type ViewState, writeState } from './view-state.ts';
import { About, updateFacts } from './views/about.ts';
import { Cards } from './views/cards.ts';
import { Comparison } from './views/comparison.ts';
import { type Controls, setUpControls } from './views/controls.ts';
import { Detail } from './views/detail.ts';
import { HeatTable } from './views/heat-table.ts';
import { Pointer } from './views/pointer.ts';
import { SiteTable } from './views/site-table.ts';
import { TimePane } from './views/time-pane.ts';
import { Traces } from './views/traces.ts';
import { Verdict } from './views/verdict.ts';

const STARTING_MILLIS = 500;

/** The page: data in, views brought up to date at most once a frame, the view's state in the address. */
export class App {
  readonly #source: Source;
  readonly #model = new Model(readState(location.hash));
  readonly #views: { update(model: Model): void }[];
  readonly #detail: Detail;
  readonly #controls: Controls;
  #stop: () => void = () => {};
  #frame: number | undefined;
  #connected: boolean | undefined = true;

  constructor(source: Source) {
    this.#source = source;
    const pane = new TimePane();
    const choose = (row: string) => this.#change({ row: row === this.#model.view.row ? undefined : row });
    this.#detail = new Detail(() => this.#change({ row: undefined }));
    const openSite = (key: string) => {
      this.#change({ by: 'site', row: key });
      this.#detail.focus();
    };
    this.#controls = setUpControls((change) => this.#change(change), this.#model);
    this.#views = [
      { update: updateFacts },
      this.#controls,
      new Verdict(({ key }) => openSite(key)),
      new Cards(),
      pane,
      new Pointer(pane, {
        select: (range) => this.#change({ range }),
        baseline: (baseline) => this.#change({ baseline }),
      }),
      new HeatTable(() => this.#draw()),
      new Comparison(choose),
      new SiteTable(choose, (sort) => this.#sort(sort)),
      this.#detail,
      new Traces(),
      new About(),
    ];
    window.addEventListener('hashchange', () => void this.#addressChanged());
    window.addEventListener('resize', () => this.#draw());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    byId('target').addEventListener('change', (event) => {
      this.#change({
        target: Number((event.target as HTMLSelectElement).value),
        row: undefined,
        range: undefined,
        baseline: undefined,
        view: undefined,
        pausedAt: undefined,
      });
      void this.#load();
    });
  }

  async start(): Promise<void> {
    if (this.#source.written !== undefined) {
      setShown(byId('save'), false);
      setShown(byId('pause'), false);
    }
    let state = await this.#source.state();
    // The address is known before the first target is: probes have to go in.
    while (state.targets.length === 0) {
      setText(byId('verdict'), 'mapscope is starting to observe.');
      await new Promise((resolve) => setTimeout(resolve, STARTING_MILLIS));
      state = await this.#source.state();
    }
    this.#setState(state);
    await this.#load();
  }

  /** Fetches a target, and listens to what comes. */
  async #load(): Promise<void> {
    this.#stop();
    const wanted = this.#model.view.target;
    const document = await this.#source.target(wanted);
    const timeline = await Timeline.read(document.history);
    if (wanted !== this.#model.view.target) {
      return;
    }
    this.#model.replace(timeline, document.facts, document.now);
    this.#draw();
    this.#stop = this.#source.listen(document.id, timeline.newest, {
      state: (state) => this.#setState(state),
      interval: (event) => {
        timeline.add(event);
        if (this.#model.view.pausedAt === undefined) {
          this.#draw();
        }
        return timeline.newest;
      },
      now: (now) => this.#setNow(now),
      restart: () => void this.#load(),
      connected: (is) => {
        this.#connected = is;
        this.#draw();
      },
    });
  }

  #setState(state: StateDocument): void {
    this.#model.state = state;
    const select = byId('target') as HTMLSelectElement;
    const options = state.targets.map(({ id, facts, ended }) => {
      const name = `${baseName(facts.image ?? facts.exe)} (${facts.pid})${ended ? ', ended' : ''}`;
      return el('option', { value: String(id), text: name });
    });
    select.replaceChildren(...options);
    const ids = state.targets.map(({ id }) => id);
    if (!ids.includes(this.#model.view.target)) {
      this.#model.view = { ...this.#model.view, target: ids[0] ?? 0 };
    }
    select.value = String(this.#model.view.target);
    this.#draw();
  }

  #setNow(now: NowDocument | null): void {
    if (now !== null) {
      this.#model.now = now;
      this.#draw();
    }
  }

  /** What is looked at changes. */
  #change(change: Partial<ViewState>): void {
    this.#model.view = { ...this.#model.view, ...change };
    const hash = writeState(this.#model.view);
    history.replaceState(null, '', hash === '' ? location.pathname + location.search : `#${hash}`);
    this.#draw();
  }

  async #addressChanged(): Promise<void> {
    const { target } = this.#model.view;
    this.#model.view = readState(location.hash);
    this.#draw();
    if (target !== this.#model.view.target) {
      await this.#load();
    }
  }

  #sort(sort: string): void {
    const { view } = this.#model;
    // A second click turns the order around; names begin with the first.
    this.#change({ sort, descending: view.sort === sort ? !view.descending : sort !== 'name' });
  }

  #draw(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      document.documentElement.dataset.theme = this.#model.view.theme;
      for (const view of this.#views) {
        view.update(this.#model);
      }
      this.#status();
    });
  }

  #status(): void {
    const status = byId('status');
    const { view, timeline, state } = this.#model;
    const ended = state?.targets.find(({ id }) => id === view.target)?.ended ?? false;
    const [kind, text] =
      this.#source.written !== undefined
        ? ['file', `written ${moment(this.#source.written)}`]
        : view.pausedAt !== undefined
          ? ['paused', `paused at ${clock(view.pausedAt)}`]
          : this.#connected === undefined || ended
            ? ['file', `ended ${clock(timeline.end)}`]
            : this.#connected
              ? ['live', `live, ${span(Math.round((timeline.end - timeline.start) / 1e6))}`]
              : ['lost', 'no answer from mapscope'];
    status.dataset.kind = kind;
    setText(status, text as string);
  }
}
