import { shortFunction } from '../../../base/call-site.ts';
import type { Site } from '../../format/document.ts';
import type { Row } from '../data/rows.ts';
import { MANY_PROBES, quantileText } from '../data/statistics.ts';
import { byId, el, setText } from '../dom.ts';
import type { Model } from '../model.ts';
import { fileLine, mean, percent, short, whole } from '../numbers.ts';
import { Canvas } from '../pictures/canvas.ts';
import { palette } from '../pictures/colors.ts';
import { drawSpark } from '../pictures/lines.ts';

/** Height of a row, as in the style sheet. */
const ROW_PIXELS = 46;
/** Rows drawn above and below those in sight. */
const SPARE = 4;

interface ColumnText {
  readonly key: string;
  readonly title: (model: Model) => string;
  readonly text: (row: Row, model: Model) => string;
  readonly hint: (row: Row, model: Model) => string;
}

const COLUMNS: readonly ColumnText[] = [
  {
    key: 'rate',
    title: () => 'lookups/s',
    text: ({ estimated }, { totals }) =>
      short(totals.knownSeconds > 0 ? estimated / totals.knownSeconds : null),
    hint: ({ lookups, estimated }) => `${whole(lookups)} counted, ${whole(estimated)} estimated`,
  },
  {
    key: 'hits',
    title: () => 'hits',
    text: ({ hits, lookups }) => percent(hits / lookups),
    hint: ({ hits, lookups }) => `${whole(hits)} hits, ${whole(lookups - hits)} misses`,
  },
  {
    key: 'probes',
    title: ({ unit }) => unit,
    text: ({ probes }) => mean(probes),
    hint: ({ tally }) => `99th percentile ${quantileText(tally, 'probeLength', 0.99)}`,
  },
  {
    key: 'many',
    title: () => `above ${MANY_PROBES}`,
    text: ({ many, lookups }) => (many === 0 ? '–' : percent(many / lookups)),
    hint: ({ many }) => `${whole(many)} lookups`,
  },
  {
    key: 'excess',
    title: ({ unit }) => `extra ${unit}/s`,
    text: ({ excess }, { totals }) => short(totals.knownSeconds > 0 ? excess / totals.knownSeconds : null),
    hint: (_row, { unit }) => `${unit} visited beyond the first of each lookup, estimated`,
  },
  {
    key: 'compares',
    title: () => 'compares',
    text: ({ comparisons }) => mean(comparisons),
    hint: ({ tally }) => `99th percentile ${quantileText(tally, 'keyComparisons', 0.99)}`,
  },
  {
    key: 'load',
    title: () => 'load',
    text: ({ load }) => mean(load),
    hint: () => 'entries per slot, mean over the lookups',
  },
  {
    key: 'entries',
    title: () => 'entries',
    text: ({ shape }) => short(shape?.entries ?? null),
    hint: ({ shape }) => `${whole(shape?.entries ?? null)} in the map that was looked into last`,
  },
  {
    key: 'dead',
    title: ({ unit }) => (unit === 'groups' ? 'tombstones' : 'overflow'),
    text: ({ shape }, { unit }) =>
      short((unit === 'groups' ? shape?.tombstones : shape?.overflowBuckets) ?? null),
    hint: (_row, { unit }) =>
      unit === 'groups'
        ? 'slots of deleted entries, in the table visited last'
        : 'overflow buckets of the map looked into last',
  },
];

interface RowElements {
  readonly root: HTMLTableRowElement;
  readonly name: HTMLElement;
  readonly place: HTMLElement;
  readonly cells: readonly HTMLElement[];
  readonly spark: Canvas;
  row: Row | undefined;
  sparkText: string;
}

/** The table of call sites. Only the rows in sight are there, however many there are. */
export class SiteTable {
  readonly #scroller = byId('table');
  readonly #body = el('tbody');
  readonly #above = el('tr', { class: 'space', 'aria-hidden': 'true' }, el('td'));
  readonly #below = el('tr', { class: 'space', 'aria-hidden': 'true' }, el('td'));
  readonly #table: HTMLTableElement;
  readonly #heads = new Map<string, { head: HTMLElement; button: HTMLElement }>();
  readonly #pool: RowElements[] = [];
  readonly #choose: (key: string) => void;
  #rows: readonly Row[] = [];
  #model: Model | undefined;

  constructor(choose: (key: string) => void, sort: (key: string) => void) {
    this.#choose = choose;
    const heads = ['name', ...COLUMNS.map(({ key }) => key)].map((key) => {
      const button = el('button', { type: 'button', onclick: () => sort(key) });
      const head = el('th', { scope: 'col', class: `c-${key}` }, button);
      this.#heads.set(key, { head, button });
      return head;
    });
    const spark = el('th', { scope: 'col', class: 'c-spark', text: 'over time' });
    this.#table = el('table', { class: 'sites' }, el('thead', {}, el('tr', {}, ...heads, spark)), this.#body);
    this.#scroller.append(this.#table);
    this.#scroller.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#key(event));
  }

  update(model: Model): void {
    this.#model = model;
    this.#rows = model.rows;
    this.#headings(model);
    const all = this.#rows.length;
    const { withoutCells, intervals } = model.totals;
    const unknown =
      withoutCells > 0
        ? ` · of ${percent(withoutCells / intervals.length, 0)} of the range call sites are not known`
        : '';
    setText(byId('count'), `${whole(all)} ${all === 1 ? 'row' : 'rows'}${unknown}`);
    this.#table.setAttribute('aria-rowcount', String(all + 1));
    this.#draw();
  }

  #headings(model: Model): void {
    const names = { site: 'call site', type: 'map type', function: 'function', package: 'package' };
    for (const [key, { head, button }] of this.#heads) {
      const title =
        key === 'name'
          ? names[model.view.by]
          : (COLUMNS.find((column) => column.key === key)?.title(model) ?? '');
      setText(button, title);
      const isSorted = model.view.sort === key;
      head.setAttribute(
        'aria-sort',
        isSorted ? (model.view.descending ? 'descending' : 'ascending') : 'none',
      );
    }
  }

  #draw(): void {
    const model = this.#model;
    if (model === undefined) {
      return;
    }
    const { scrollTop, clientHeight } = this.#scroller;
    const first = Math.max(0, Math.min(Math.floor(scrollTop / ROW_PIXELS) - SPARE, this.#rows.length - 1));
    const count = Math.min(this.#rows.length - first, Math.ceil(clientHeight / ROW_PIXELS) + 2 * SPARE);
    while (this.#pool.length < count) {
      this.#pool.push(this.#makeRow());
    }
    const visible = this.#pool.slice(0, Math.max(0, count));
    visible.forEach((elements, i) => {
      this.#fill(elements, this.#rows[first + i] as Row, first + i, model);
    });
    setHeight(this.#above, first * ROW_PIXELS);
    setHeight(this.#below, Math.max(0, this.#rows.length - first - count) * ROW_PIXELS);
    const wanted = [this.#above, ...visible.map(({ root }) => root), this.#below];
    if (this.#body.childElementCount !== wanted.length) {
      this.#body.replaceChildren(...wanted);
    }
    drawSparks(visible, model);
  }

  #makeRow(): RowElements {
    const name = el('button', { class: 'name', type: 'button' });
    const place = el('span', { class: 'place' });
    const cells = COLUMNS.map(({ key }) => el('td', { class: `number c-${key}` }));
    const spark = new Canvas(el('canvas', { class: 'spark', 'aria-hidden': 'true' }));
    const root = el(
      'tr',
      {},
      el('th', { scope: 'row', class: 'c-name' }, name, place),
      ...cells,
      el('td', { class: 'c-spark' }, spark.element),
    );
    const elements: RowElements = { root, name, place, cells, spark, row: undefined, sparkText: '' };
    root.addEventListener('click', () => {
      if (elements.row !== undefined) {
        this.#choose(elements.row.key);
      }
    });
    return elements;
  }

  #fill(elements: RowElements, row: Row, index: number, model: Model): void {
    elements.row = row;
    const { name, place } = rowName(row, model);
    setText(elements.name, name);
    setText(elements.place, place);
    elements.root.setAttribute('aria-rowindex', String(index + 2));
    elements.root.dataset.key = row.key;
    elements.root.classList.toggle('chosen', row.key === model.view.row);
    elements.root.dataset.level =
      row.many / row.lookups > 0.05 ? 'bad' : row.many / row.lookups > 0.01 ? 'warn' : '';
    COLUMNS.forEach((column, i) => {
      const cell = elements.cells[i] as HTMLElement;
      setText(cell, column.text(row, model));
      cell.title = column.hint(row, model);
    });
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (step === undefined || this.#rows.length === 0) {
      return;
    }
    event.preventDefault();
    const at = this.#rows.findIndex(({ key }) => key === this.#model?.view.row);
    const next = Math.max(0, Math.min(this.#rows.length - 1, at + step));
    const top = next * ROW_PIXELS;
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop || top > scrollTop + clientHeight - 2 * ROW_PIXELS) {
      this.#scroller.scrollTop = top - clientHeight / 2;
    }
    const row = this.#rows[next];
    if (row !== undefined) {
      this.#choose(row.key);
    }
  }
}

function setHeight(row: HTMLTableRowElement, pixels: number): void {
  (row.firstElementChild as HTMLElement).style.height = `${pixels}px`;
  row.hidden = pixels === 0;
}

function drawSparks(visible: readonly RowElements[], model: Model): void {
  const colors = palette();
  for (const elements of visible) {
    const { row } = elements;
    if (row === undefined || elements.spark.element.clientWidth === 0) {
      continue;
    }
    const values = model.totals.spark(row.sites);
    const text = `${colors.name} ${elements.spark.element.clientWidth} ${values.join()}`;
    if (text !== elements.sparkText) {
      elements.sparkText = text;
      drawSpark(elements.spark, values, colors);
    }
  }
}

/** What a row is called, in two lines. */
export function rowName(
  { key, sites }: Pick<Row, 'key' | 'sites'>,
  { timeline, view }: Model,
): { name: string; place: string } {
  const site = timeline.sites[sites[0] ?? 0] as Site;
  if (view.by === 'site') {
    const place = `${site.type} · ${shortFunction(site.function)}`;
    return { name: fileLine(site), place };
  }
  const count = sites.length === 1 ? '1 call site' : `${whole(sites.length)} call sites`;
  return { name: view.by === 'function' ? shortFunction(key) : key, place: count };
}
