/*
 * Text for terminals. Names come from the target's binary, which nobody has vetted: control characters in them must not
 * reach the terminal.
 */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1234567 as "1,234,567". */
export function wholeNumber(value: number): string {
  return whole.format(value);
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

/** At most `width` characters, the end kept. */
export function truncateLeft(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `…${characters.slice(characters.length - width + 1).join('')}`;
}

/** At most `width` characters, the beginning kept. */
export function truncateRight(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** A Go function's name without the directories of its package: `cart.(*Store).Find`. */
export function shortFunction(name: string): string {
  // Type arguments and receivers may hold slashes of their own.
  const end = name.search(/[([]/);
  const slash = name.slice(0, end < 0 ? name.length : end).lastIndexOf('/');
  return name.slice(slash + 1);
}

/**
 * `file:line function` in at most `width` characters: first the package's directories go, then those of the path, and
 * the beginning of the function last, because methods are told apart by their ends.
 */
export function callSiteText(
  site: { file: string; line: number; function: string },
  width = Number.POSITIVE_INFINITY,
): string {
  const position = printable(site.line > 0 ? `${site.file}:${site.line}` : site.file || '?');
  const name = printable(site.function);
  const full = `${position} ${name}`;
  if ([...full].length <= width) {
    return full;
  }
  const short = shortFunction(name);
  const roomForPosition = width - [...short].length - 1;
  const base = position.slice(position.lastIndexOf('/') + 1);
  if (roomForPosition > [...base].length) {
    return `${truncateLeft(position, roomForPosition)} ${short}`;
  }
  const roomForName = width - [...base].length - 1;
  return roomForName < 2 ? truncateRight(base, width) : `${base} ${truncateLeft(short, roomForName)}`;
}

/** Whether a stream takes colours: a terminal, unless NO_COLOR says otherwise. */
export function takesColor(
  stream: { isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}
