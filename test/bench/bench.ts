/*
 * What observation costs: npm run bench [-- --quick] [-- --format json].
 *
 * Absolute times depend on the machine and wander on it; the ratios are taken in one run and hold.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { environment } from './environment.ts';
import { type LookupCosts, measureLookups } from './lookups.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, format: { type: 'string', default: 'table' } },
});

function table({ cases, decodeOverCount, goroutinesOverCount }: LookupCosts): string {
  const rows = new Table({
    head: ['lookup', 'bare ns', 'count ns', 'decode ns', 'by goroutine ns', 'decode/count'],
    style: { head: [] },
  });
  for (const one of cases) {
    const ratio = (one.decode - one.bare) / (one.count - one.bare);
    rows.push([
      one.case,
      one.bare.toFixed(1),
      one.count.toFixed(0),
      one.decode.toFixed(0),
      one.goroutines.toFixed(0),
      ratio.toFixed(2),
    ]);
  }
  return `${rows.toString()}\nDecoding costs ${decodeOverCount.toFixed(2)} times what counting at the same probe sites costs, ${goroutinesOverCount.toFixed(2)} when lookups are counted by goroutine, too.\n`;
}

const costs = await measureLookups(values.quick ? 5 : 11, values.quick ? 30_000 : 100_000);
const machine = environment();
if (values.format === 'json') {
  const document = {
    decode_over_count: costs.decodeOverCount,
    goroutines_over_count: costs.goroutinesOverCount,
    lookups: costs.cases,
    environment: machine,
  };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
} else {
  const { cpu, cpus, kernel, virtualMachine } = machine;
  process.stdout.write(
    `${cpu}, ${cpus} CPUs${virtualMachine ? ', virtual machine' : ''}, Linux ${kernel}\n${table(costs)}`,
  );
}
