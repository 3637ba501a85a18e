import { type Change, compareRanges, MEASURES, type Measure } from '../data/compare.ts';
import { byId, el, setShown, setText, tableOf } from '../dom.ts';
import type { Model } from '../model.ts';
import { clock, mean, percent, short } from '../numbers.ts';
import type { Range } from '../view-state.ts';
import { rowName } from './site-table.ts';

/** Differences shown, at most. */
const MOST_SHOWN = 20;

/** What differs between the range and the baseline. */
export class Comparison {
  readonly #root = byId('compare');
  readonly #list = byId('compare-list');
  readonly #choose: (key: string) => void;
  #shown = '';

  constructor(choose: (key: string) => void) {
    this.#choose = choose;
  }

  update(model: Model): void {
    const { range, baseline, by, row, span } = model.view;
    setShown(this.#root, baseline !== undefined);
    if (baseline === undefined) {
      this.#shown = '';
      return;
    }
    const now = range ?? model.shown;
    const between = ({ start, end }: Range) => model.timeline.between(start, end);
    const [intervals, before] = [between(now), between(baseline)];
    // A range that moves along is compared anew every ten seconds.
    const when = range === undefined ? [Math.round(now.end / 1e7), span] : [range, intervals.length];
    const key = JSON.stringify([...when, baseline, before.length, by, row, model.view.target]);
    if (key === this.#shown) {
      return;
    }
    this.#shown = key;
    const focus = model.focus && new Set(model.focus);
    const changes = compareRanges(
      model.timeline.sites,
      intervals,
      before,
      by,
      (site) => focus?.has(site) ?? true,
    );
    const sure = changes.filter(({ isSure }) => isSure);
    setText(
      byId('compare-text'),
      `${rangeText(now)} against ${rangeText(baseline)}: ${sure.length === 0 ? 'nothing that could not be chance' : `${sure.length} sure ${sure.length === 1 ? 'difference' : 'differences'}`}, heaviest first.`,
    );
    this.#list.replaceChildren(this.#table(changes.slice(0, MOST_SHOWN), model));
  }

  #table(changes: readonly Change[], model: Model): HTMLElement {
    const rows = changes.map((change) => {
      const { name, place } = rowName({ key: change.key, sites: change.sites }, model);
      const button = el('button', {
        class: 'linklike',
        type: 'button',
        title: place,
        text: name,
        onclick: () => this.#choose(change.key),
      });
      return [
        button,
        MEASURES[change.measure],
        text(change.measure, change.before?.value ?? null),
        text(change.measure, change.now?.value ?? null),
        whisker(change, changes),
        intervalText(change),
      ];
    });
    const table = tableOf(
      'Differences with the interval that holds the true one in 95 of 100 cases; each second, or minute, counts as one draw',
      ['row', 'measure', 'baseline', 'range', 'difference', 'interval'],
      rows,
      (column) => column === 2 || column === 3 || column === 5,
    );
    [...(table.tBodies[0]?.rows ?? [])].forEach((element, i) => {
      element.classList.toggle('unsure', changes[i]?.isSure === false);
    });
    return table;
  }
}

function rangeText({ start, end }: Range): string {
  return `${clock(start)} to ${clock(end)}`;
}

function text(measure: Measure, value: number | null): string {
  if (value === null) {
    return 'unknown';
  }
  return measure === 'many' || measure === 'misses'
    ? percent(value)
    : measure === 'rate'
      ? short(value)
      : mean(value);
}

function intervalText({ measure, change, interval, isSure }: Change): string {
  const signed = (value: number) => `${value < 0 ? '−' : '+'}${text(measure, Math.abs(value))}`;
  if (interval === null) {
    return `${signed(change.value)}, interval unknown: too little time`;
  }
  return `${signed(change.value)} (${signed(interval[0])} to ${signed(interval[1])})${isSure ? '' : ', may be chance'}`;
}

/** The difference and its interval as a dot on a line; zero is in the middle. Those of one measure have one scale. */
function whisker(change: Change, all: readonly Change[]): HTMLElement {
  const { measure, interval, change: difference } = change;
  const most = Math.max(
    1e-9,
    ...all
      .filter((one) => one.measure === measure)
      .flatMap((one) => [Math.abs(one.change.value), ...(one.interval ?? []).map(Math.abs)]),
  );
  const at = (value: number) => 50 + (50 * value) / most;
  const track = el('span', { class: 'whisker', 'aria-hidden': 'true' });
  if (interval !== null) {
    const line = el('span', { class: 'line' });
    line.style.left = `${at(interval[0])}%`;
    line.style.width = `${Math.max(0.5, at(interval[1]) - at(interval[0]))}%`;
    track.append(line);
  }
  const dot = el('span', { class: difference.value > 0 ? 'dot more' : 'dot less' });
  dot.style.left = `${at(difference.value)}%`;
  track.append(dot);
  return track;
}
