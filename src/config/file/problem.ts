import { EXIT, UserError } from '../../base/errors.ts';

/** Where something stands in a file, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with a configuration, as a sentence. */
export interface Problem {
  /** Undefined: of the file as a whole. */
  readonly at?: Position | undefined;
  readonly sentence: string;
}

/** `mapscope.yaml:3:7: ` before what is said of that place. */
export function placeIn(path: string, at: Position | undefined): string {
  return at === undefined ? `${path}: ` : `${path}:${at.line}:${at.column}: `;
}

/** A problem with its place, as a line of its own. */
export function problemLine(path: string, { at, sentence }: Problem): string {
  return placeIn(path, at) + sentence;
}

/** The first of some problems for who wanted to do something else than checking the file, and how to see the others. */
export function refusal(path: string, [first, ...others]: readonly [Problem, ...Problem[]]): UserError {
  const more = others.length === 0 ? '' : ` (${others.length} more: mapscope config validate ${path})`;
  return new UserError(problemLine(path, first) + more, EXIT.usage);
}

/** In the order in which they stand in the file. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ at }: Problem) => (at === undefined ? 0 : at.line * 1e6 + at.column);
  return problems.toSorted((a, b) => rank(a) - rank(b));
}
