import stringWidth from 'string-width';
import type { Line } from '../../base/terminal.ts';
import { printable } from '../../base/text.ts';

/** Spaces between columns. */
export const GAP = 2;

/**
 * The lines of a table without borders. Numbers are aligned on the right. Cells are cleaned before they are measured, because the
 * width of the cleaned text is what the reader sees.
 */
export function plainTable(
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean = () => false,
  gap = GAP,
): string[] {
  const cleaned = rows.map((cells) => cells.map(printable));
  const widths: number[] = [];
  for (const cells of cleaned) {
    cells.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, stringWidth(cell));
    });
  }
  const padded = (cell: string, column: number): string => {
    const blanks = ' '.repeat((widths[column] ?? 0) - stringWidth(cell));
    return isNumber(column) ? blanks + cell : cell + blanks;
  };
  return cleaned.map((cells) => cells.map(padded).join(' '.repeat(gap)).trimEnd());
}

/** A heading. */
export function bold(text: string): Line {
  return { text, style: 'bold' };
}

/** Mean and maximum of a distribution, for a cell. */
export function meanAndMax({ sum, max }: { sum: number; max: number }, count: number): string {
  return count === 0 ? '-' : `${(sum / count).toFixed(2)}/${max}`;
}
