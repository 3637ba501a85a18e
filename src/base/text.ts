import stringWidth from 'string-width';

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

/** At most `width` columns of a terminal, the end kept. */
export function truncateLeft(text: string, width: number): string {
  return stringWidth(text) <= width
    ? text
    : `…${fitting(graphemes(text).toReversed(), width - 1)
        .toReversed()
        .join('')}`;
}

/** At most `width` columns of a terminal, the beginning kept. */
export function truncateRight(text: string, width: number): string {
  return stringWidth(text) <= width ? text : `${fitting(graphemes(text), width - 1).join('')}…`;
}

/** At most `width` columns of a terminal, beginning and end kept. */
export function truncateMiddle(text: string, width: number): string {
  if (stringWidth(text) <= width) {
    return text;
  }
  const characters = graphemes(text);
  const start = fitting(characters, Math.floor((width - 1) / 2));
  const end = fitting(characters.toReversed(), width - 1 - stringWidth(start.join('')));
  return `${start.join('')}…${end.toReversed().join('')}`;
}

/** What a person takes for characters; some are two columns wide. */
function graphemes(text: string): string[] {
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
}

const SEGMENTER = new Intl.Segmenter();

/** As many of the first characters as fit. */
function fitting(characters: readonly string[], width: number): string[] {
  let room = width;
  const end = characters.findIndex((character) => {
    room -= stringWidth(character);
    return room < 0;
  });
  return characters.slice(0, end < 0 ? characters.length : end);
}
