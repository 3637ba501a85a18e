import { DISTRIBUTIONS, type Quantity, TALLY } from '../../format/tally.ts';
import type { Column } from '../data/series.ts';
import { bucketText } from '../data/statistics.ts';
import { type Canvas, hatch, MARGIN, type TimeScale, xOf } from './canvas.ts';
import { HeatScale, type Palette } from './colors.ts';

/** What a heatmap shows, ready to be drawn and asked. */
export interface HeatData {
  readonly quantity: Quantity;
  readonly columns: readonly Column[];
  /** Buckets that have a row, the lowest first. */
  readonly rows: readonly number[];
  readonly scale: HeatScale;
}

/** Rows that are there in any case, so that a picture does not jump when lookups become longer. */
const LEAST_ROWS = { probeLength: 9, keyComparisons: 9, homePosition: 10, loadFactor: 10 } as const;

/** Estimated lookups per second in a bucket; undefined where nothing is known. */
export function heatOf({ tally, seconds }: Column, quantity: Quantity, bucket: number): number | undefined {
  if (tally === undefined || seconds <= 0) {
    return undefined;
  }
  const lookups = tally[TALLY.lookups] ?? 0;
  const count = tally[DISTRIBUTIONS[quantity].at + bucket] ?? 0;
  return lookups === 0 ? 0 : (count * ((tally[TALLY.estimated] ?? 0) / 1000 / lookups)) / seconds;
}

export function heatData(columns: readonly Column[], quantity: Quantity): HeatData {
  const { at, bounds } = DISTRIBUTIONS[quantity];
  let highest = LEAST_ROWS[quantity] - 1;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const column of columns) {
    for (let bucket = 0; bucket <= bounds.length; bucket++) {
      if ((column.tally?.[at + bucket] ?? 0) > 0) {
        const heat = heatOf(column, quantity, bucket) ?? 0;
        highest = Math.max(highest, bucket);
        least = Math.min(least, heat);
        most = Math.max(most, heat);
      }
    }
  }
  // One free row above the longest, where the scale goes on.
  const isOpen = quantity === 'probeLength' || quantity === 'keyComparisons';
  const top = Math.min(highest + Number(isOpen), bounds.length);
  return {
    quantity,
    columns,
    rows: Array.from({ length: top + 1 }, (_, bucket) => bucket),
    scale: new HeatScale(Math.min(least, most), most),
  };
}

/** What a row stands for. */
export function rowLabel(quantity: Quantity, bucket: number): string {
  return bucketText(DISTRIBUTIONS[quantity].bounds, bucket);
}

/** The bucket at a height; undefined outside. */
export function bucketAt(data: HeatData, canvas: Canvas, y: number): number | undefined {
  const height = canvas.height - MARGIN.top - MARGIN.bottom;
  const row = Math.floor(((canvas.height - MARGIN.bottom - y) / height) * data.rows.length);
  return data.rows[row];
}

export function drawHeat(canvas: Canvas, data: HeatData, time: TimeScale, palette: Palette): void {
  canvas.clear();
  const { context, plotWidth } = canvas;
  const height = canvas.height - MARGIN.top - MARGIN.bottom;
  const rowHeight = height / data.rows.length;
  hatch(context, palette, [MARGIN.left, MARGIN.top, plotWidth, height]);
  drawCells(canvas, data, time, palette, height);
  context.fillStyle = palette.faint;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const every = Math.ceil(13 / rowHeight);
  data.rows.forEach((bucket, row) => {
    if (row % every === 0) {
      const y = MARGIN.top + height - (row + 0.5) * rowHeight;
      context.fillText(rowLabel(data.quantity, bucket), MARGIN.left - 8, y);
    }
  });
}

/** One pixel high and as wide as the screen has pixels: then the browser makes rows of the lines. */
function drawCells(canvas: Canvas, data: HeatData, time: TimeScale, palette: Palette, height: number): void {
  const { context, plotWidth, ratio } = canvas;
  const width = Math.max(1, Math.round(plotWidth * ratio));
  const rows = data.rows.length;
  const image = new ImageData(width, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const background = pixelOf(palette.panel);
  const { at } = DISTRIBUTIONS[data.quantity];
  for (const column of data.columns) {
    if (column.tally === undefined) {
      continue;
    }
    const from = Math.max(0, Math.round((xOf(column.start, time, plotWidth) - MARGIN.left) * ratio));
    const to = Math.min(
      width,
      Math.max(from + 1, Math.round((xOf(column.end, time, plotWidth) - MARGIN.left) * ratio)),
    );
    data.rows.forEach((bucket, row) => {
      const isUsed = (column.tally?.[at + bucket] ?? 0) > 0;
      const heat = isUsed ? (heatOf(column, data.quantity, bucket) ?? 0) : 0;
      const color = isUsed ? (palette.heat[data.scale.step(heat)] ?? 0) : background;
      const line = (rows - 1 - row) * width;
      pixels.fill(color, line + from, line + to);
    });
  }
  const picture = new OffscreenCanvas(width, rows);
  picture.getContext('2d')?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, MARGIN.left, MARGIN.top, plotWidth, height);
  drawRowLines(canvas, rows, height, palette);
}

function drawRowLines({ context, plotWidth }: Canvas, rows: number, height: number, palette: Palette): void {
  context.fillStyle = palette.panel;
  for (let row = 1; row < rows; row++) {
    context.fillRect(MARGIN.left, MARGIN.top + (row * height) / rows - 0.5, plotWidth, 1);
  }
}

const PIXELS = new Map<string, number>();

/** A colour of the style sheet as a pixel. */
function pixelOf(color: string): number {
  let pixel = PIXELS.get(color);
  if (pixel === undefined) {
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    if (context === null) {
      return 0;
    }
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    pixel = new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0] ?? 0;
    PIXELS.set(color, pixel);
  }
  return pixel;
}
