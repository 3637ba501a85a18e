import Table from 'cli-table3';

/** Spaces between columns. */
export const GAP = 2;

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP),
};

/** A table without lines. The first `numbers` columns are numbers, which end where their column does. */
export function plainTable(rows: readonly (readonly string[])[], numbers: number): string {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: (rows[0] ?? []).map((_cell, column) => (column < numbers ? 'right' : 'left')),
  });
  table.push(...rows.map((cells) => [...cells]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** What a cell says of a distribution: mean and maximum. */
export function meanAndMax({ sum, max }: { sum: number; max: number }, count: number): string {
  return count === 0 ? '-' : `${(sum / count).toFixed(2)}/${max}`;
}
