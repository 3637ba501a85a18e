import stringWidth from 'string-width';

/*
 * Text that has to fit. What measures widths takes long to load, so this file is apart from text.ts: commands that show no table
 * and no live line do without it.
 */

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

/** How much further to the right the lines after the first begin. */
const INDENT = 2;

/**
 * Lines of at most `width` columns (12 or more): broken at blanks, and within a word only where it is longer than that. Those after
 * the first are indented.
 */
export function wrapped(text: string, width: number): string[] {
  const leading = Math.min(text.length - withoutStart(text).length, Math.floor(width / 4));
  const lines: string[] = [];
  let begin = leading;
  let rest = ' '.repeat(begin) + withoutStart(text);
  while (stringWidth(rest) > width) {
    const whole = fitting(graphemes(rest), width).join('');
    // The blank may be the one right after what fits.
    const blank = rest.slice(0, whole.length + 1).lastIndexOf(' ');
    const end = blank > begin ? blank : whole.length;
    lines.push(rest.slice(0, end).replace(/ +$/, ''));
    begin = leading + INDENT;
    rest = ' '.repeat(begin) + withoutStart(rest.slice(end));
  }
  return [...lines, rest];
}

function withoutStart(text: string): string {
  return text.replace(/^ +/, '');
}
