import type { Palette } from './colors.ts';

/** Room around a picture, in CSS pixels. */
export const MARGIN = { left: 64, right: 14, top: 8, bottom: 6 } as const;

/** A canvas as large as its element, sharp on any screen. */
export class Canvas {
  readonly element: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  /** In CSS pixels. */
  width = 0;
  height = 0;
  ratio = 1;

  constructor(element: HTMLCanvasElement) {
    this.element = element;
    const context = element.getContext('2d');
    if (context === null) {
      throw new Error('this browser has no canvas');
    }
    this.context = context;
  }

  /** Takes on the size of the element, and is empty then. */
  clear(): void {
    const { clientWidth, clientHeight } = this.element;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.element.width !== width || this.element.height !== height) {
      this.element.width = width;
      this.element.height = height;
    }
    this.width = clientWidth;
    this.height = clientHeight;
    this.ratio = ratio;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, clientWidth, clientHeight);
    this.context.font = '11px system-ui, sans-serif';
  }

  get plotWidth(): number {
    return Math.max(1, this.width - MARGIN.left - MARGIN.right);
  }
}

/** A part of time across the width of a picture. Microseconds since 1970. */
export interface TimeScale {
  readonly start: number;
  readonly end: number;
}

export function xOf(time: number, { start, end }: TimeScale, width: number): number {
  return MARGIN.left + ((time - start) / Math.max(1, end - start)) * width;
}

export function timeAt(x: number, { start, end }: TimeScale, width: number): number {
  return start + ((x - MARGIN.left) / width) * (end - start);
}

const HATCHES = new Map<string, CanvasPattern>();

/** Fills a part of a picture of which nothing is known. */
export function hatch(
  context: CanvasRenderingContext2D,
  palette: Palette,
  rect: readonly [number, number, number, number],
): void {
  let pattern = HATCHES.get(palette.hatch);
  if (pattern === undefined) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 8;
    const lines = tile.getContext('2d');
    if (lines === null) {
      return;
    }
    lines.strokeStyle = palette.hatch;
    lines.lineWidth = 1.2;
    for (const offset of [-8, 0, 8]) {
      lines.moveTo(offset, 8);
      lines.lineTo(offset + 8, 0);
    }
    lines.stroke();
    pattern = context.createPattern(tile, 'repeat') as CanvasPattern;
    HATCHES.set(palette.hatch, pattern);
  }
  context.fillStyle = pattern;
  context.fillRect(...rect);
}

const NICE = [1, 2, 2.5, 5, 10];

/** Round values from 0 to about the largest. */
export function ticks(most: number, count: number): number[] {
  if (!(most > 0)) {
    return [0];
  }
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (NICE.find((nice) => nice * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400,
];

/** Round times of day, at most so many, and whether they need seconds. */
export function timeTicks(
  { start, end }: TimeScale,
  count: number,
): { times: number[]; withSeconds: boolean } {
  const seconds = (end - start) / 1e6;
  const step = TIME_STEPS.find((one) => seconds / one <= count) ?? 86_400;
  const offset = new Date(start / 1000).getTimezoneOffset() * 60;
  const first = Math.ceil((start / 1e6 - offset) / step) * step + offset;
  const times: number[] = [];
  for (let time = first; time <= end / 1e6; time += step) {
    times.push(time * 1e6);
  }
  return { times, withSeconds: step < 60 };
}
