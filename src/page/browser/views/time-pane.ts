import { type Quantity, TALLY } from '../../format/tally.ts';
import { type Column, rateOf } from '../data/series.ts';
import { relativeError, Z95 } from '../data/statistics.ts';
import { isKnown } from '../data/timeline.ts';
import { byId, setShown, setText } from '../dom.ts';
import type { Model } from '../model.ts';
import { clock, percent, short, span } from '../numbers.ts';
import { Canvas, MARGIN, timeTicks, xOf } from '../pictures/canvas.ts';
import { type Palette, palette } from '../pictures/colors.ts';
import { drawHeat, type HeatData, heatData } from '../pictures/heat.ts';
import { drawLines, type Point } from '../pictures/lines.ts';

/** Width of a column of the heatmap, in CSS pixels, at least. */
const COLUMN_PIXELS = 4;

/** What each picture is called. */
export const PICTURE_NAMES: Readonly<Record<Quantity, string>> = {
  probeLength: 'Probe length',
  keyComparisons: 'Key comparisons',
  homePosition: 'Home position',
  loadFactor: 'Load factor',
};

/** The pictures over time: rate, heatmap and cost, with one axis. */
export class TimePane {
  readonly heatCanvas = new Canvas(byId('heat') as HTMLCanvasElement);
  readonly #rate = new Canvas(byId('rate') as HTMLCanvasElement);
  readonly #cost = new Canvas(byId('cost') as HTMLCanvasElement);
  readonly #axis = new Canvas(byId('axis') as HTMLCanvasElement);
  /** What the heatmap shows now. */
  data: HeatData | undefined;

  update(model: Model): void {
    const colors = palette();
    const time = model.shown;
    const intervals = model.timeline.between(time.start, time.end);
    const width = Math.max(100, this.heatCanvas.element.clientWidth - MARGIN.left - MARGIN.right);
    const shortest = ((time.end - time.start) / width) * COLUMN_PIXELS;
    // Between two snapshots there is a little more or less than a second.
    const columns = model.series.columns(intervals, shortest * 0.9);
    this.data = heatData(columns, model.view.picture);
    drawHeat(this.heatCanvas, this.data, time, colors);
    this.#drawRate(model, columns, colors);
    this.#drawCost(model, columns, colors);
    this.#drawAxis(model, colors);
    this.#captions(model, colors);
  }

  #drawRate(model: Model, columns: readonly Column[], colors: Palette): void {
    const mode = model.facts?.mode ?? 'windows';
    const isAll = model.view.row === undefined && model.view.result === 'both';
    const points = columns.map((column): Point => {
      const value = rateOf(column);
      const counted = isAll ? null : (column.tally?.[TALLY.lookups] ?? 0);
      const facts = column.intervals.filter(isKnown).map((interval) => interval.facts);
      const error = value === null ? null : relativeError(facts, mode, counted);
      return {
        start: column.start,
        end: column.end,
        value,
        margin: value === null || error === null ? null : Z95 * error * value,
      };
    });
    drawLines(this.#rate, [{ points, color: 'accent' }], model.shown, colors);
  }

  #drawCost(model: Model, columns: readonly Column[], colors: Palette): void {
    const points = columns.map(({ start, end, intervals }): Point => {
      const facts = intervals.map((interval) => interval.facts);
      const cpu = facts.reduce((sum, one) => sum + (one.targetCpu ?? 0), 0);
      const cost = facts.reduce((sum, one) => sum + one.cost, 0);
      const isKnown = cpu > 0 && facts.every(({ targetCpu }) => targetCpu !== null);
      return { start, end, value: isKnown ? cost / cpu : null };
    });
    const budget = model.now?.overhead.budget ?? undefined;
    drawLines(this.#cost, [{ points, color: 'accent' }], model.shown, colors, {
      limit: budget,
      format: (value) => percent(value),
      tickCount: 2,
    });
  }

  #drawAxis(model: Model, colors: Palette): void {
    this.#axis.clear();
    const { context, plotWidth } = this.#axis;
    const { times, withSeconds } = timeTicks(model.shown, plotWidth / 90);
    context.textAlign = 'center';
    context.textBaseline = 'top';
    for (const time of times) {
      const x = xOf(time, model.shown, plotWidth);
      context.fillStyle = colors.grid;
      context.fillRect(Math.round(x), 0, 1, 4);
      context.fillStyle = colors.faint;
      context.fillText(clock(time, withSeconds), Math.min(x, this.#axis.width - 26), 6);
    }
  }

  #captions(model: Model, colors: Palette): void {
    const { picture, result } = model.view;
    const lookups = { both: 'Lookups', hits: 'Hits', misses: 'Misses' }[result];
    setText(byId('rate-caption'), `${lookups} per second`);
    setText(byId('heat-caption'), `${PICTURE_NAMES[picture]}: ${EXPLAINED[picture](model.unit)}`);
    setText(byId('cost-caption'), "Cost of observing, share of the program's CPU time");
    setShown(byId('cost-caption').parentElement as HTMLElement, true);
    this.#legend(colors);
  }

  #legend(colors: Palette): void {
    const { scale } = this.data ?? {};
    const text =
      scale === undefined || !(scale.most > 0)
        ? 'Hatched: nothing is known of this time.'
        : `Colour: ${short(scale.least)} to ${short(scale.most)} lookups per second in a cell (estimated, equal factors are equal steps). Hatched: nothing is known.`;
    const legend = byId('legend');
    if (legend.dataset.text === text && legend.dataset.scheme === colors.name) {
      return;
    }
    legend.dataset.text = text;
    legend.dataset.scheme = colors.name;
    const bar = document.createElement('canvas');
    bar.className = 'ramp';
    bar.width = 128;
    bar.height = 1;
    const context = bar.getContext('2d');
    const image = new ImageData(128, 1);
    new Uint32Array(image.data.buffer).set(colors.heat.filter((_, i) => i % 2 === 0));
    context?.putImageData(image, 0, 0);
    legend.replaceChildren(bar, text);
  }
}

const EXPLAINED: Readonly<Record<Quantity, (unit: string) => string>> = {
  probeLength: (unit) => `${unit} that a lookup visited`,
  keyComparisons: () => 'keys that a lookup compared in full',
  homePosition: (unit) =>
    `where the hash sends keys, as a share of all ${unit}: even, unless hashes are skewed or few keys are popular`,
  loadFactor: () => 'entries per slot of the map, at each lookup',
};

/** What a place in the heatmap says, in words. */
export function columnText(column: Column): string {
  const long = span((column.end - column.start) / 1e6);
  const when = `${clock(column.start)}, ${long}`;
  if (column.tally === undefined) {
    return `${when}: nothing is known, no window was open`;
  }
  const lookups = column.tally[TALLY.lookups] ?? 0;
  return `${when}: ${short(lookups)} lookups counted, ${short(rateOf(column))} per second`;
}
