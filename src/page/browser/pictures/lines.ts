import { short } from '../numbers.ts';
import { type Canvas, hatch, MARGIN, type TimeScale, ticks, xOf } from './canvas.ts';
import type { Palette } from './colors.ts';

/** A value over a time. Null: not known. */
export interface Point {
  readonly start: number;
  readonly end: number;
  readonly value: number | null;
  /** Half of the interval that holds the truth in 95 of 100 cases; null: not known. */
  readonly margin?: number | null;
}

export interface LineData {
  readonly points: readonly Point[];
  readonly color: 'accent' | 'warm';
}

export interface LinesOptions {
  /** A line across, such as a limit. */
  readonly limit?: number | undefined;
  readonly format?: (value: number) => string;
  /** Values are joined even where some are missing: a state lasts until another is seen. */
  readonly holds?: boolean;
  readonly tickCount?: number;
}

/** Draws values over time as steps, each as long as what it was counted in, with what is known of its error. */
export function drawLines(
  canvas: Canvas,
  lines: readonly LineData[],
  time: TimeScale,
  palette: Palette,
  options: LinesOptions = {},
): void {
  canvas.clear();
  const { context, plotWidth } = canvas;
  const height = canvas.height - MARGIN.top - MARGIN.bottom;
  const most = largest(lines, options.limit) * 1.08 || 1;
  const y = (value: number) => MARGIN.top + height - (Math.min(value, most) / most) * height;
  drawUnknown(canvas, lines[0]?.points ?? [], time, palette, options.holds === true);
  const format = options.format ?? short;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const tick of ticks(most, options.tickCount ?? 3)) {
    context.fillStyle = palette.grid;
    context.fillRect(MARGIN.left, Math.round(y(tick)), plotWidth, 1);
    context.fillStyle = palette.faint;
    context.fillText(format(tick), MARGIN.left - 8, y(tick));
  }
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, 0, plotWidth, canvas.height);
  context.clip();
  for (const { points, color } of lines) {
    drawBand(context, points, (at) => xOf(at, time, plotWidth), y, palette);
    drawLine(context, points, (at) => xOf(at, time, plotWidth), y, palette[color], options.holds === true);
  }
  if (options.limit !== undefined) {
    context.strokeStyle = palette.warm;
    context.setLineDash([5, 4]);
    context.lineWidth = 1.2;
    context.beginPath();
    context.moveTo(MARGIN.left, y(options.limit));
    context.lineTo(MARGIN.left + plotWidth, y(options.limit));
    context.stroke();
    context.setLineDash([]);
  }
  context.restore();
}

function largest(lines: readonly LineData[], limit = 0): number {
  let most = limit;
  for (const { points } of lines) {
    for (const { value, margin } of points) {
      // A wide error must not flatten what is known.
      most = Math.max(most, (value ?? 0) + Math.min(margin ?? 0, (value ?? 0) * 0.6));
    }
  }
  return most;
}

function drawUnknown(
  canvas: Canvas,
  points: readonly Point[],
  time: TimeScale,
  palette: Palette,
  holds: boolean,
): void {
  const { context, plotWidth } = canvas;
  const height = canvas.height - MARGIN.top - MARGIN.bottom;
  const right = MARGIN.left + plotWidth;
  const fill = (from: number, to: number) => {
    const [a, b] = [
      Math.max(MARGIN.left, xOf(from, time, plotWidth)),
      Math.min(right, xOf(to, time, plotWidth)),
    ];
    if (b > a) {
      hatch(context, palette, [a, MARGIN.top, b - a, height]);
    }
  };
  let end = time.start;
  for (const point of points) {
    if (point.value !== null) {
      fill(end, point.start);
      end = holds ? time.end : point.end;
    }
  }
  fill(end, time.end);
}

function drawBand(
  context: CanvasRenderingContext2D,
  points: readonly Point[],
  x: (time: number) => number,
  y: (value: number) => number,
  palette: Palette,
): void {
  context.fillStyle = palette.band;
  for (const { start, end, value, margin } of points) {
    if (value !== null && margin !== undefined && margin !== null && margin > 0) {
      const top = y(value + margin);
      const [left, right] = [Math.round(x(start)), Math.round(x(end))];
      context.fillRect(
        left,
        top,
        Math.max(1, right - left),
        Math.max(1, y(Math.max(0, value - margin)) - top),
      );
    }
  }
}

function drawLine(
  context: CanvasRenderingContext2D,
  points: readonly Point[],
  x: (time: number) => number,
  y: (value: number) => number,
  color: string,
  holds: boolean,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1.6;
  context.lineJoin = 'round';
  context.beginPath();
  let before: Point | undefined;
  for (const point of points) {
    if (point.value === null) {
      before = holds ? before : undefined;
      continue;
    }
    if (before === undefined) {
      context.moveTo(x(point.start), y(point.value));
    } else {
      context.lineTo(x(point.start), y(before.value ?? 0));
      context.lineTo(x(point.start), y(point.value));
    }
    context.lineTo(x(point.end), y(point.value));
    before = point;
  }
  context.stroke();
}

/** A small picture without axes. */
export function drawSpark(canvas: Canvas, values: readonly number[], palette: Palette): void {
  canvas.clear();
  const { context, width, height } = canvas;
  const most = Math.max(...values);
  if (!(most > 0)) {
    return;
  }
  const x = (i: number) => (i / (values.length - 1)) * width;
  const y = (value: number) => height - 1 - (value / most) * (height - 3);
  context.beginPath();
  context.moveTo(0, height);
  values.forEach((value, i) => {
    context.lineTo(x(i), y(value));
  });
  context.lineTo(width, height);
  context.fillStyle = palette.band;
  context.fill();
  context.beginPath();
  values.forEach((value, i) => {
    context.lineTo(x(i), y(value));
  });
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.2;
  context.stroke();
}
