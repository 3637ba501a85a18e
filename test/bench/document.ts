import { plainTable } from '../../src/report/table/plain-table.ts';
import type { Environment } from './environment.ts';
import type { Measured, Part, Report } from './part.ts';

/** A part and what it came to. */
export interface Finished {
  readonly part: Part;
  readonly measured: Measured;
}

/** The JSON document: single figures on top, then each part's details. */
export function jsonDocument(parts: readonly Finished[], environment: Environment, quick: boolean): string {
  const figures = Object.assign({}, ...parts.map(({ measured }) => measured.figures));
  const details = Object.fromEntries(parts.map(({ part, measured }) => [part.name, measured.details]));
  const document = { schema: 'mapscope/bench/v1', quick, ...figures, environment, details };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** What the terminal shows. */
export function text(parts: readonly Finished[], environment: Environment): string {
  const tables = parts.map(({ part, measured: { report } }) => {
    return [part.title, ...plainTable([report.head, ...report.rows]), ...report.remarks].join('\n');
  });
  return `${[machine(environment), ...tables].join('\n\n')}\n`;
}

/** The same as a document. */
export function markdown(parts: readonly Finished[], environment: Environment): string {
  const sections = parts.map(
    ({ part, measured: { report } }) => `## ${part.title}\n\n${markdownTable(report)}${remarks(report)}`,
  );
  const head = `# Performance\n\nWritten by \`npm run bench\`. ${machine(environment)}, ${environment.date}.\n`;
  return `${[head, ...sections].join('\n')}`;
}

function remarks({ remarks }: Report): string {
  return remarks.length === 0 ? '' : `\n${remarks.join('\n')}\n`;
}

/** Padded as the project's formatter wants it. */
function markdownTable({ head, rows }: Report): string {
  const cells = [head, ...rows];
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return line(head) + rule + rows.map(line).join('');
}

function machine({ cpu, cpus, memoryGiB, virtualMachine, kernel, node, go }: Environment): string {
  const kind = virtualMachine ? ', virtual machine' : '';
  return `${cpu}, ${cpus} CPUs${kind}, ${memoryGiB} GiB, Linux ${kernel}, Node.js ${node}, ${go}`;
}
