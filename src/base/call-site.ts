import stringWidth from 'string-width';
import { printable } from './text.ts';
import { truncateLeft, truncateMiddle, truncateRight } from './width.ts';

/** Where something is in a program's source. */
export interface SourcePlace {
  readonly file: string;
  /** 0: not known. */
  readonly line: number;
  /** Fully qualified, as Go prints it. */
  readonly function: string;
}

/**
 * `file:line function` in at most `width` columns. The package is told once: by the path of the file, or before the function
 * where the file lies elsewhere. When room is short, the beginning of the path goes first, then the receiver, then the middle of the
 * name: the beginning and the end are what tells it from others.
 */
export function callSiteText(site: SourcePlace, width = Number.POSITIVE_INFINITY): string {
  const position = printable(site.line > 0 ? `${site.file}:${site.line}` : site.file || '?');
  const name = printable(functionBeside(site));
  const base = position.slice(position.lastIndexOf('/') + 1);
  const roomForPosition = width - stringWidth(name) - 1;
  if (roomForPosition >= Math.min(stringWidth(base), stringWidth(position))) {
    return `${withWholeFolders(position, base, roomForPosition)} ${name}`;
  }
  const roomForName = width - stringWidth(base) - 1;
  return roomForName < 3
    ? truncateRight(base, width)
    : `${base} ${truncateMiddle(stringWidth(name) > roomForName ? methodOf(name) : name, roomForName)}`;
}

/** A function's name without package and receiver; the whole one when that leaves nothing. */
function methodOf(name: string): string {
  return /^(?:[^.[(]*\.)?\([^)]*\)\.(.+)$/.exec(name)?.[1] ?? name;
}

/** A path without its first folders, where there is no room for them. */
function withWholeFolders(position: string, base: string, width: number): string {
  if (stringWidth(position) <= width) {
    return position;
  }
  const cut = truncateLeft(position, width);
  const slash = cut.indexOf('/');
  return slash < 0 ? base : truncateLeft(`…${cut.slice(slash)}`, width);
}

/** The function's name without what the file's folder says already. */
function functionBeside({ file, function: name }: SourcePlace): string {
  const { path, rest } = splitFunction(name);
  const folders = file.split('/').slice(0, -1);
  const isInFile = path !== 'main' && path !== '' && isSuffix(path.split('/'), folders);
  return isInFile ? rest : shortFunction(name);
}

/** Whether a package lies in folders: its last element does. Where a version is that element, the one before counts, too. */
function isSuffix(elements: readonly string[], folders: readonly string[]): boolean {
  const last = elements.at(-1);
  const isVersion = /^v[2-9]\d*$/.test(last ?? '') && elements.length > 1;
  const name = isVersion ? elements.at(-2) : last;
  // In a module cache: shop@v1.2.3.
  return [folders.at(-1), isVersion ? folders.at(-2) : undefined].some(
    (folder) => folder?.split('@')[0] === name,
  );
}

/** A Go function's package path, and what follows it: `example.com/shop/cart` and `(*Store).Find`. */
function splitFunction(name: string): { path: string; rest: string } {
  const short = shortFunction(name);
  const dot = short.indexOf('.');
  const rest = short.slice(dot + 1);
  // The linker writes a dot in the last element of a path as %2e.
  const path = name.slice(0, name.length - rest.length - 1).replaceAll('%2e', '.');
  return dot < 0 ? { path: '', rest: short } : { path, rest };
}

/** A Go function's name without the directories of its package: `cart.(*Store).Find`. */
export function shortFunction(name: string): string {
  // Type arguments and receivers may hold slashes of their own.
  const end = name.search(/[([]/);
  const slash = name.slice(0, end < 0 ? name.length : end).lastIndexOf('/');
  return name.slice(slash + 1);
}

/** The path of a Go function's package: `example.com/shop/cart`. */
export function packageOf(name: string): string {
  const short = shortFunction(name);
  const dot = short.indexOf('.');
  return dot < 0 ? name : name.slice(0, name.length - short.length + dot);
}
