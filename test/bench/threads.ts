import { availableParallelism } from 'node:os';
import { mapped } from '../support/opened.ts';
import { LookupService } from './lookupservice.ts';
import type { Measured, Part, Run } from './part.ts';
import { setups } from './setups.ts';
import { median } from './statistics.ts';

const CASE = 'faststr large hit';

/** Lookups of each goroutine, by setup. */
const LOOKUPS: Readonly<Record<string, number>> = {
  bare: 3_000_000,
  count: 100_000,
  decode: 60_000,
  'by goroutine': 60_000,
};

/** Lookups per second that a service makes flat out, by the number of threads that make them at the same time. */
export const threads: Part = {
  name: 'threads',
  title: 'Lookups per second over threads of the service',
  measure: async (run: Run): Promise<Measured> => {
    const service = await LookupService.start();
    run.after(async () => service.stop());
    const all = await setups(run, mapped(service.pid));
    const measured = all.filter(({ name }) => name in LOOKUPS);
    const samples = new Map<string, number[]>();
    for (let round = 0; round < (run.quick ? 5 : 15); round++) {
      for (const { name, attach, detach } of measured) {
        await attach();
        for (const count of threadCounts()) {
          const nanoseconds = await service.measure(CASE, LOOKUPS[name] ?? 0, count);
          const key = `${name} ${count}`;
          samples.set(key, [...(samples.get(key) ?? []), (1e9 * count) / nanoseconds]);
        }
        await detach();
      }
    }
    const names = measured.map(({ name }) => name);
    const rate = (name: string, count: number) => median(samples.get(`${name} ${count}`) ?? []);
    const most = threadCounts().at(-1) ?? 1;
    const scaling = (name: string) => rate(name, most) / rate(name, 1);
    return {
      figures: { bare_scaling: scaling('bare'), decode_scaling: scaling('decode') },
      details: threadCounts().map((count) => ({
        threads: count,
        lookupsPerSecond: Object.fromEntries(names.map((name) => [name, rate(name, count)])),
      })),
      report: {
        head: ['threads', ...names],
        rows: threadCounts().map((count) => [
          String(count),
          ...names.map((name) => Math.round(rate(name, count)).toLocaleString('en')),
        ]),
        remarks: [
          `${most} threads make ${scaling('bare').toFixed(2)} times the lookups of one bare, and ${scaling('decode').toFixed(2)} times when all of them are decoded.`,
        ],
      },
    };
  },
};

/** 1, 2, 4, ... and all that there are. */
function threadCounts(): number[] {
  const all = availableParallelism();
  const powers = Array.from({ length: Math.ceil(Math.log2(all)) }, (_, i) => 2 ** i);
  return [...new Set([...powers, all])];
}
