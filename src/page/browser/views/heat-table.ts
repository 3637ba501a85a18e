import { DISTRIBUTIONS, TALLY } from '../../format/tally.ts';
import { byId, tableOf } from '../dom.ts';
import type { Model } from '../model.ts';
import { clock, whole } from '../numbers.ts';
import { rowLabel } from '../pictures/heat.ts';
import { PICTURE_NAMES } from './time-pane.ts';

/** Columns of time, beside that of the whole. */
const PARTS = 6;

/** The heatmap of the range as a table of counts, for those who do not see it. It is made when somebody opens it. */
export class HeatTable {
  readonly #details = byId('heat-table') as HTMLDetailsElement;
  readonly #parent = this.#details.querySelector('.scroll') as HTMLElement;

  constructor(onOpen: () => void) {
    this.#details.addEventListener('toggle', onOpen);
  }

  update(model: Model): void {
    if (!this.#details.open) {
      return;
    }
    const { picture } = model.view;
    const { at, bounds } = DISTRIBUTIONS[picture];
    const { start, end } = model.range;
    const intervals = model.timeline.between(start, end);
    const parts = model.series.columns(intervals, (end - start) / PARTS);
    const all = (bucket: number) => parts.reduce((sum, { tally }) => sum + (tally?.[bucket] ?? 0), 0);
    const cell = (tally: Float64Array | undefined, index: number) =>
      tally === undefined ? 'unknown' : whole(tally[index] ?? 0);
    const rows = Array.from({ length: bounds.length + 1 }, (_, bucket) => [
      rowLabel(picture, bucket),
      whole(all(at + bucket)),
      ...parts.map(({ tally }) => cell(tally, at + bucket)),
    ]);
    const total = ['all', whole(all(TALLY.lookups)), ...parts.map(({ tally }) => cell(tally, TALLY.lookups))];
    this.#parent.replaceChildren(
      tableOf(
        `${PICTURE_NAMES[picture]}: lookups counted from ${clock(start)} to ${clock(end)}`,
        [
          picture === 'probeLength' ? model.unit : PICTURE_NAMES[picture],
          'all',
          ...parts.map((part) => `from ${clock(part.start)}`),
        ],
        [...rows, total],
      ),
    );
  }
}
