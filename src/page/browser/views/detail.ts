import type { Site } from '../../format/document.ts';
import { countsOf, DISTRIBUTIONS, type Quantity } from '../../format/tally.ts';
import type { Row } from '../data/rows.ts';
import { quantileText, relativeError, Z95 } from '../data/statistics.ts';
import { isKnown } from '../data/timeline.ts';
import { byId, el, setShown, tableOf } from '../dom.ts';
import type { Model } from '../model.ts';
import { mean, percent, short, whole } from '../numbers.ts';
import { Canvas } from '../pictures/canvas.ts';
import { palette } from '../pictures/colors.ts';
import { rowLabel } from '../pictures/heat.ts';
import { drawLines, type Point } from '../pictures/lines.ts';
import { rowName } from './site-table.ts';
import { PICTURE_NAMES } from './time-pane.ts';
import { exemplarTable, longest } from './traces.ts';

const QUANTITIES: readonly Quantity[] = ['probeLength', 'keyComparisons', 'homePosition', 'loadFactor'];
/** Call sites listed of a group, at most. */
const MOST_SITES = 30;

/** Everything about one row of the table. */
export class Detail {
  readonly #parent = byId('detail');
  readonly #title = el('h2', { id: 'detail-title', tabindex: '-1' });
  readonly #facts = el('dl', { class: 'facts-list' });
  readonly #distributions = el('div', { class: 'distributions' });
  readonly #size = new Canvas(
    el('canvas', {
      class: 'state',
      role: 'img',
      'aria-label': 'Entries and tombstones or overflow buckets over time',
    }),
  );
  readonly #load = new Canvas(
    el('canvas', { class: 'state', role: 'img', 'aria-label': 'Load factor over time' }),
  );
  readonly #sizeCaption = el('figcaption');
  readonly #rest = el('div');

  constructor(close: () => void) {
    const button = el('button', {
      type: 'button',
      'aria-label': 'Close',
      'aria-keyshortcuts': 'Escape',
      text: '×',
      onclick: close,
    });
    const figure = (canvas: Canvas, caption: HTMLElement) =>
      el('figure', { class: 'picture' }, caption, canvas.element);
    this.#parent.append(
      el('div', { class: 'bar' }, this.#title, button),
      this.#facts,
      figure(this.#size, this.#sizeCaption),
      figure(this.#load, el('figcaption', { text: 'Load factor, mean over the lookups' })),
      this.#distributions,
      this.#rest,
    );
  }

  focus(): void {
    this.#title.focus();
  }

  update(model: Model): void {
    const { focus } = model;
    setShown(this.#parent, focus !== undefined);
    byId('columns').classList.toggle('with-detail', focus !== undefined);
    if (focus === undefined) {
      return;
    }
    const { name, place } = rowName({ key: model.view.row ?? '', sites: focus }, model);
    this.#title.replaceChildren(el('code', { text: name }), ' ', el('span', { class: 'quiet', text: place }));
    const row = model.focusRow;
    this.#facts.replaceChildren(...(row === undefined ? [] : factsOf(row, model)));
    this.#drawState(model);
    this.#distributions.replaceChildren(
      ...(row === undefined
        ? [el('p', { class: 'quiet', text: 'It was not seen in this range.' })]
        : QUANTITIES.map((quantity) => distribution(row, quantity, model))),
    );
    const exemplars = longest(model, new Set(focus));
    this.#rest.replaceChildren(
      ...(exemplars.length > 0
        ? [exemplarTable(model, exemplars, 'Its longest lookups in the range'), goroutines(exemplars)]
        : []),
      ...(focus.length > 1 ? [siteList(focus, model)] : []),
    );
  }

  #drawState(model: Model): void {
    const colors = palette();
    const { series, shown, unit } = model;
    const intervals = model.timeline.between(shown.start, shown.end);
    const points = (value: (interval: (typeof intervals)[number]) => number | undefined): Point[] =>
      intervals.map((interval) => ({
        start: interval.facts.start,
        end: interval.facts.end,
        value: value(interval) ?? null,
      }));
    this.#sizeCaption.textContent = `Entries (line) and ${unit === 'groups' ? 'tombstones of the table visited' : 'overflow buckets'} (second line) of the map looked into last`;
    const dead = unit === 'groups' ? 'tombstones' : 'overflowBuckets';
    drawLines(
      this.#size,
      [
        { points: points((interval) => series.shape(interval)?.entries), color: 'accent' },
        { points: points((interval) => series.shape(interval)?.[dead]), color: 'warm' },
      ],
      shown,
      colors,
      { holds: true },
    );
    const load = points((interval) => {
      const tally = series.tally(interval);
      return tally && (tally[0] ?? 0) > 0 ? (tally[4] ?? 0) / 1e6 / (tally[0] ?? 1) : undefined;
    });
    drawLines(this.#load, [{ points: load, color: 'accent' }], shown, colors, { holds: true, tickCount: 2 });
  }
}

function factsOf(row: Row, model: Model): HTMLElement[] {
  const site = model.timeline.sites[row.sites[0] ?? 0] as Site;
  const { totals, facts, unit } = model;
  const known = totals.intervals.filter(isKnown).map((interval) => interval.facts);
  const error = facts === undefined ? null : relativeError(known, facts.mode, row.lookups);
  const rate = totals.knownSeconds > 0 ? row.estimated / totals.knownSeconds : null;
  const { shape } = row;
  const pairs: [string, string][] = [
    [
      'Lookups per second',
      `${short(rate)}${error === null ? ', error unknown' : error === 0 ? '' : ` ± ${percent(Z95 * error, 0)}`}`,
    ],
    ['Counted', `${whole(row.lookups)}: ${whole(row.hits)} hits, ${whole(row.lookups - row.hits)} misses`],
    [
      unit === 'groups' ? 'Groups per lookup' : 'Buckets per lookup',
      `${mean(row.probes)}, 99th percentile ${quantileText(row.tally, 'probeLength', 0.99)}`,
    ],
    [
      'Comparisons per lookup',
      `${mean(row.comparisons)}, 99th percentile ${quantileText(row.tally, 'keyComparisons', 0.99)}`,
    ],
    [
      'Map looked into last',
      shape === undefined ? 'unknown' : `${whole(shape.entries)} entries in ${whole(shape.buckets)} ${unit}`,
    ],
    ...(unit === 'groups'
      ? ([['Tombstones', whole(shape?.tombstones ?? null)]] as [string, string][])
      : ([
          ['Overflow buckets', whole(shape?.overflowBuckets ?? null)],
          ['While growing', `${whole(row.tally[5] ?? 0)} lookups`],
        ] as [string, string][])),
    ...((row.tally[6] ?? 0) > 0
      ? ([['Not certain', `${whole(row.tally[6] ?? 0)} lookups`]] as [string, string][])
      : []),
    ...(row.sites.length === 1
      ? ([
          ['Function', site.function],
          ['File', `${site.file}:${site.line}`],
          ['Looked up by', `runtime.${site.variant}`],
          ['Map type', site.type],
        ] as [string, string][])
      : []),
  ];
  return pairs.flatMap(([name, value]) => [el('dt', { text: name }), el('dd', { text: value })]);
}

/** A distribution as bars that are a table. */
function distribution(row: Row, quantity: Quantity, { unit }: Model): HTMLElement {
  const counts = countsOf(row.tally, quantity);
  const most = Math.max(...counts);
  const last = counts.findLastIndex((count) => count > 0);
  const title = quantity === 'probeLength' ? `${PICTURE_NAMES[quantity]} (${unit})` : PICTURE_NAMES[quantity];
  const first = quantity === 'probeLength' ? 1 : 0;
  const lines = counts.slice(first, last + 1).map((count, i) => {
    const bar = el('span', { class: 'fill' });
    bar.style.width = `${(100 * count) / Math.max(1, most)}%`;
    return [
      rowLabel(quantity, first + i),
      el('span', { class: 'track' }, bar),
      el('span', {
        title: `${whole(count)} lookups`,
        text: count === 0 ? '–' : percent(count / row.lookups),
      }),
    ];
  });
  const table = tableOf(
    title,
    [DISTRIBUTIONS[quantity].bounds.length > 10 ? 'number' : 'share', 'lookups', 'part'],
    lines,
    (column) => column !== 1,
  );
  table.classList.add('distribution');
  return table;
}

function goroutines(exemplars: ReturnType<typeof longest>): HTMLElement {
  const ids = [
    ...new Set(exemplars.filter(({ goroutine }) => goroutine > 0).map(({ goroutine }) => goroutine)),
  ];
  return el('p', {
    class: 'quiet',
    text: ids.length === 0 ? 'Their goroutines are not known.' : `On goroutines ${ids.join(', ')}.`,
  });
}

function siteList(sites: readonly number[], model: Model): HTMLElement {
  const shown = sites
    .map((number) => ({
      site: model.timeline.sites[number] as Site,
      lookups: model.totals.lookups(2 * number) + model.totals.lookups(2 * number + 1),
    }))
    .sort((a, b) => b.lookups - a.lookups)
    .slice(0, MOST_SITES);
  return tableOf(
    `Its call sites${sites.length > shown.length ? `, ${shown.length} of ${sites.length}` : ''}`,
    ['call site', 'type', 'counted'],
    shown.map(({ site, lookups }) => [`${site.file}:${site.line}`, site.type, whole(lookups)]),
    (column) => column === 2,
  );
}
