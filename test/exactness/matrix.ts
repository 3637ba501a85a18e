/*
 * The whole matrix of Go releases and build flags against the oracle, as a table: npm run matrix [-- LOOKUPS [PATTERN]].
 */
import { messageOf } from '../../src/base/errors.ts';
import { allCells, buildOracle, type Cell } from './cells.ts';
import { differences, runOracle } from './oracle.ts';

const [lookups = '200000', pattern = ''] = process.argv.slice(2);
const SHOWN_DIFFERENCES = 5;

interface Row {
  readonly cell: Cell;
  readonly lookups: number;
  readonly inexact: number;
  readonly differences: readonly string[];
  readonly problem: string | undefined;
}

async function runCell(cell: Cell, seed: number): Promise<Row> {
  try {
    const run = await runOracle(await buildOracle(cell), ['-seed', String(seed), '-lookups', lookups]);
    const inexact = Object.values(run.snapshot.inexact).reduce((sum, n) => sum + n, 0);
    return { cell, lookups: run.truth.lookups, inexact, differences: differences(run), problem: undefined };
  } catch (error) {
    const problem = messageOf(error).split('\n').at(-1);
    return { cell, lookups: 0, inexact: 0, differences: [], problem: problem ?? 'failed' };
  }
}

function print({ cell, lookups: checked, inexact, differences: found, problem }: Row): void {
  const verdict = problem ?? (found.length === 0 ? 'agrees' : `${found.length} differences`);
  const columns = [
    cell.version.padEnd(8),
    cell.flavor.padEnd(16),
    String(checked).padStart(9),
    String(inexact).padStart(8),
  ];
  process.stdout.write(`${columns.join('  ')}  ${verdict}\n`);
  for (const difference of found.slice(0, SHOWN_DIFFERENCES)) {
    process.stdout.write(`    ${difference}\n`);
  }
}

process.stdout.write('Go        flags               lookups   inexact  every field of every lookup\n');
const rows: Row[] = [];
for (const cell of allCells().filter(({ version, flavor }) => `${version} ${flavor}`.includes(pattern))) {
  const row = await runCell(cell, rows.length + 1);
  rows.push(row);
  print(row);
}
const checked = rows.reduce((sum, row) => sum + row.lookups, 0);
const wrong = rows.filter((row) => row.differences.length > 0 || row.problem !== undefined);
process.stdout.write(
  `\n${checked} lookups checked in ${rows.length} cells, ${wrong.length} cells do not agree\n`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;
