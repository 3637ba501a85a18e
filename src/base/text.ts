/*
 * Text for terminals. Names come from the target's binary, which nobody has vetted: control characters in them must not
 * reach the terminal.
 */

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1234567 as "1,234,567". */
export function wholeNumber(value: number): string {
  return WHOLE.format(value);
}

/** "1 lookup", "2 lookups". */
export function countOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${wholeNumber(count)} ${count === 1 ? singular : plural}`;
}

/** Share of a total with one decimal, "83.3"; a dash when there is nothing to share. */
export function percent(part: number, all: number): string {
  return all === 0 ? '-' : ((100 * part) / all).toFixed(1);
}

/** Seconds with a precision that suits their size. */
export function duration(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(1)} s`;
}

/** Replaces control and format characters, including those that would reorder text, by "?". */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
