import { DISTRIBUTIONS, TALLY } from '../../format/tally.ts';
import type { Column } from '../data/series.ts';
import { byId, setShown, setText } from '../dom.ts';
import type { Model } from '../model.ts';
import { percent, short, whole } from '../numbers.ts';
import { MARGIN, timeAt, xOf } from '../pictures/canvas.ts';
import { bucketAt, heatOf, rowLabel } from '../pictures/heat.ts';
import type { Range } from '../view-state.ts';
import { columnText, type TimePane } from './time-pane.ts';

/** What the pointer and the keys of the time line ask for. */
export interface Asked {
  select(range: Range | undefined): void;
  baseline(range: Range | undefined): void;
}

/** Pixels from which on a movement is a range and not a click. */
const LEAST_DRAG = 5;

/** Selects ranges on the pictures over time, and says what is under the pointer or the cursor. */
export class Pointer {
  readonly #overlay = byId('overlay');
  readonly #tip = byId('tip');
  readonly #marks = { range: mark('range'), baseline: mark('baseline'), cursor: mark('cursor') };
  readonly #pane: TimePane;
  readonly #asked: Asked;
  #model: Model | undefined;
  #drag: { from: number; isBaseline: boolean; last: number } | undefined;
  /** Where the keys are, as a time. */
  #cursor: number | undefined;
  #anchor: number | undefined;

  constructor(pane: TimePane, asked: Asked) {
    this.#pane = pane;
    this.#asked = asked;
    this.#overlay.append(this.#marks.baseline, this.#marks.range, this.#marks.cursor);
    this.#overlay.addEventListener('pointerdown', (event) => this.#begin(event));
    this.#overlay.addEventListener('pointermove', (event) => this.#move(event));
    this.#overlay.addEventListener('pointerup', (event) => this.#finish(event));
    this.#overlay.addEventListener('pointerleave', () => this.#leave());
    this.#overlay.addEventListener('keydown', (event) => this.#key(event));
    this.#overlay.addEventListener('blur', () => this.#leave());
  }

  /** Brings the marks to where their times are now. */
  update(model: Model): void {
    this.#model = model;
    this.#place(this.#marks.range, model.view.range);
    this.#place(this.#marks.baseline, model.view.baseline);
  }

  get #width(): number {
    return this.#overlay.clientWidth - MARGIN.left - MARGIN.right;
  }

  #place(element: HTMLElement, range: Range | undefined): void {
    const { shown } = this.#model ?? {};
    setShown(
      element,
      range !== undefined && shown !== undefined && range.end > shown.start && range.start < shown.end,
    );
    if (range === undefined || shown === undefined) {
      return;
    }
    const inside = (time: number) =>
      Math.max(MARGIN.left, Math.min(MARGIN.left + this.#width, xOf(time, shown, this.#width)));
    const left = inside(range.start);
    element.style.transform = `translateX(${left}px)`;
    element.style.width = `${Math.max(2, inside(range.end) - left)}px`;
  }

  #timeOf(event: PointerEvent): number {
    const { left } = this.#overlay.getBoundingClientRect();
    const { shown } = this.#model as Model;
    const time = timeAt(event.clientX - left, shown, this.#width);
    return Math.max(shown.start, Math.min(shown.end, time));
  }

  #begin(event: PointerEvent): void {
    if (event.button === 0 && this.#model !== undefined) {
      this.#overlay.setPointerCapture(event.pointerId);
      this.#drag = { from: this.#timeOf(event), isBaseline: event.shiftKey, last: event.clientX };
    }
  }

  #move(event: PointerEvent): void {
    if (this.#model === undefined) {
      return;
    }
    const time = this.#timeOf(event);
    if (this.#drag !== undefined) {
      const { from, isBaseline } = this.#drag;
      const range = { start: Math.min(from, time), end: Math.max(from, time) };
      this.#place(isBaseline ? this.#marks.baseline : this.#marks.range, range);
    }
    this.#say(time, event.clientX, event.clientY);
  }

  #finish(event: PointerEvent): void {
    if (this.#drag === undefined || this.#model === undefined) {
      return;
    }
    const { from, isBaseline, last } = this.#drag;
    this.#drag = undefined;
    const time = this.#timeOf(event);
    const ask = isBaseline ? this.#asked.baseline : this.#asked.select;
    if (Math.abs(event.clientX - last) < LEAST_DRAG) {
      // A click on a column selects it; on what is selected it clears.
      const column = this.#columnAt(time);
      const { range } = this.#model.view;
      const isInside = !isBaseline && range !== undefined && time >= range.start && time <= range.end;
      ask(isInside || column === undefined ? undefined : { start: column.start, end: column.end });
      return;
    }
    ask({ start: Math.min(from, time), end: Math.max(from, time) });
  }

  #leave(): void {
    this.#drag = undefined;
    setShown(this.#tip, false);
    setShown(this.#marks.cursor, false);
  }

  #columnAt(time: number): Column | undefined {
    return this.#pane.data?.columns.find(({ start, end }) => time >= start && time < end);
  }

  #say(time: number, clientX: number, clientY: number): void {
    const { shown } = this.#model as Model;
    const x = xOf(time, shown, this.#width);
    setShown(this.#marks.cursor, true);
    this.#marks.cursor.style.transform = `translateX(${x}px)`;
    const column = this.#columnAt(time);
    const heat = this.#pane.heatCanvas;
    const bucket =
      this.#pane.data && bucketAt(this.#pane.data, heat, clientY - heat.element.getBoundingClientRect().top);
    const lines = column === undefined ? ['Nothing is known of this time.'] : [columnText(column)];
    if (column?.tally !== undefined && bucket !== undefined) {
      lines.push(this.#cellText(column, bucket));
    }
    setText(this.#tip, lines.join('\n'));
    setShown(this.#tip, true);
    const box = this.#overlay.getBoundingClientRect();
    const left = Math.min(clientX - box.left + 14, box.width - this.#tip.offsetWidth - 4);
    this.#tip.style.transform = `translate(${Math.max(0, left)}px, ${clientY - box.top + 16}px)`;
  }

  #cellText(column: Column, bucket: number): string {
    const { quantity } = this.#pane.data as NonNullable<TimePane['data']>;
    const count = column.tally?.[DISTRIBUTIONS[quantity].at + bucket] ?? 0;
    const lookups = column.tally?.[TALLY.lookups] ?? 0;
    const rate = heatOf(column, quantity, bucket) ?? null;
    const what = {
      probeLength: this.#model?.unit ?? '',
      keyComparisons: 'comparisons',
      homePosition: 'of the way',
      loadFactor: 'full',
    };
    return `${rowLabel(quantity, bucket)} ${what[quantity]}: ${whole(count)} counted, ${short(rate)} per second, ${percent(lookups === 0 ? null : count / lookups)} of them`;
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const columns = this.#pane.data?.columns ?? [];
    if (step === undefined || columns.length === 0 || this.#model === undefined) {
      return;
    }
    event.preventDefault();
    const at = columns.findIndex(
      ({ start, end }) => this.#cursor !== undefined && this.#cursor >= start && this.#cursor < end,
    );
    const next = columns[
      at < 0 ? columns.length - 1 : Math.max(0, Math.min(columns.length - 1, at + step))
    ] as Column;
    if (event.shiftKey) {
      this.#anchor ??= this.#cursor ?? next.start;
      const anchor =
        columns.find(
          ({ start, end }) => (this.#anchor as number) >= start && (this.#anchor as number) < end,
        ) ?? next;
      this.#asked.select({ start: Math.min(anchor.start, next.start), end: Math.max(anchor.end, next.end) });
    } else {
      this.#anchor = undefined;
    }
    this.#cursor = (next.start + next.end) / 2;
    const heat = this.#pane.heatCanvas.element.getBoundingClientRect();
    const box = this.#overlay.getBoundingClientRect();
    this.#say(this.#cursor, box.left + xOf(this.#cursor, this.#model.shown, this.#width), heat.top - 20);
    setText(byId('said'), columnText(next));
  }
}

function mark(name: string): HTMLElement {
  const element = document.createElement('div');
  element.className = `mark-${name}`;
  element.hidden = true;
  return element;
}
