import { OTHERS_NAME } from '../../model/position.ts';

/*
 * Numbers and times as text. What is not known is a word, never a number.
 */

/** What stands for a number that is not known. */
const UNKNOWN = 'unknown';

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1,234,567 */
export function whole(value: number | null): string {
  return value === null ? UNKNOWN : WHOLE.format(value);
}

const STEPS = [
  { from: 1e9, unit: 'G' },
  { from: 1e6, unit: 'M' },
  { from: 1e4, unit: 'k' },
];

/** Three digits: 0.0123, 4.56, 1,234, 12.3k */
export function short(value: number | null): string {
  if (value === null || !Number.isFinite(value)) {
    return UNKNOWN;
  }
  const step = STEPS.find(({ from }) => Math.abs(value) >= from);
  if (step !== undefined) {
    const scaled = step.unit === 'k' ? value / 1000 : value / step.from;
    return `${digits(scaled)}${step.unit}`;
  }
  return Math.abs(value) >= 1000 ? whole(value) : digits(value);
}

function digits(value: number): string {
  if (value === 0) {
    return '0';
  }
  const before = Math.max(1, Math.floor(Math.log10(Math.abs(value))) + 1);
  return String(Number(value.toFixed(Math.min(4, Math.max(0, 3 - before)))));
}

/** A share as per cent: 12.3 %, 0.02 %. */
export function percent(share: number | null, decimals?: number): string {
  if (share === null || !Number.isFinite(share)) {
    return UNKNOWN;
  }
  const value = share * 100;
  const places = decimals ?? (value !== 0 && Math.abs(value) < 1 ? 2 : 1);
  return `${value.toFixed(places)} %`;
}

/** With two decimals, for means of small counts. */
export function mean(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(2);
}

/** 850 ms, 12.3 s, 4 min, 2 h 5 min */
export function span(seconds: number): string {
  if (seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 60) {
    return `${Number(seconds.toFixed(1))} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const PAD = (value: number, length = 2) => String(value).padStart(length, '0');

/** A time of day, in the visitor's zone. @param micros since 1970 */
export function clock(micros: number, withSeconds = true): string {
  const date = new Date(micros / 1000);
  const minutes = `${PAD(date.getHours())}:${PAD(date.getMinutes())}`;
  return withSeconds ? `${minutes}:${PAD(date.getSeconds())}` : minutes;
}

/** A day and a time of day. */
export function moment(micros: number): string {
  const date = new Date(micros / 1000);
  return `${date.getFullYear()}-${PAD(date.getMonth() + 1)}-${PAD(date.getDate())} ${clock(micros)}`;
}

/** File and line of a call site; of those that are not kept apart, what they are called. */
export function fileLine({ file, line }: { readonly file: string; readonly line: number }): string {
  return file === OTHERS_NAME ? file : `${baseName(file)}:${line}`;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}
