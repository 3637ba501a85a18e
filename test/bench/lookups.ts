import { planProbes } from '../../src/plan/lookups/plan.ts';
import { mapped } from '../support/opened.ts';
import { CASES, type Case, LookupService } from './lookupservice.ts';
import type { Measured, Part, Run } from './part.ts';
import { bpftraceSetups, type Setup, setups } from './setups.ts';
import { quantile } from './statistics.ts';

/** Nanoseconds per lookup in one case, by setup: lower quartiles of short batches over all rounds. */
interface LookupCost {
  readonly case: Case;
  readonly nanoseconds: Readonly<Record<string, number>>;
}

/** Setups that cost a thousand times what a lookup costs are measured with fewer of them. */
const SHARE: Readonly<Record<string, number>> = { bare: 50, count: 1, decode: 1, 'by goroutine': 1 };
const SHARE_OF_OTHERS = 0.1;

/** The newest release, where most lookups come through one function more. */
const NEWEST_GO = '1.27.4';

/**
 * Parts of a measurement. Each takes a few milliseconds, so that on a busy machine many are not interrupted: what else runs
 * only ever adds time, and adds it to some of the parts.
 */
const BATCHES = 12;

/**
 * What a lookup costs bare, with a program that only counts at the probe sites, with the full decoding at the same sites, and
 * with what others attach: in one run, alternating, because the machine's speed drifts.
 */
export const lookups: Part = {
  name: 'lookups',
  title: 'Nanoseconds per lookup',
  measure: async (run: Run): Promise<Measured> => {
    const service = await LookupService.start();
    run.after(async () => service.stop());
    const target = mapped(service.pid);
    const plan = planProbes(target.binary);
    const all = [...(await setups(run, target)), ...bpftraceSetups(run, service.pid, service.path, plan)];
    const costs = await measure(service, all, run.quick ? 5 : 11, run.quick ? 25_000 : 100_000);
    const newest = await measureNewest(run);
    const added = (name: string, of = costs) =>
      of.reduce((sum, { nanoseconds: ns }) => sum + (ns[name] ?? 0) - (ns.bare ?? 0), 0);
    const withBpftrace = all.some(({ name }) => name.startsWith('bpftrace'));
    const figures = {
      decode_over_count: added('decode') / added('count'),
      decode_over_count_newest_go: added('decode', newest) / added('count', newest),
      goroutines_over_count: added('by goroutine') / added('count'),
      entry_over_decode: added('entry') / added('decode'),
      entry_and_returns_over_decode: added('entry + returns') / added('decode'),
      ...(withBpftrace && { bpftrace_count_over_decode: added('bpftrace count()') / added('decode') }),
    };
    const names = all.map(({ name }) => name);
    return {
      figures,
      details: { costs, newest: { go: NEWEST_GO, costs: newest } },
      report: {
        head: ['lookup', ...names],
        rows: costs.map(({ case: one, nanoseconds: ns }) => [
          one,
          ...names.map((name) => (ns[name] ?? 0).toFixed(name === 'bare' ? 1 : 0)),
        ]),
        remarks: [
          `Decoding costs ${figures.decode_over_count.toFixed(2)} times what counting at the same probe sites costs, ${figures.goroutines_over_count.toFixed(2)} when lookups are counted by goroutine, too; ${figures.decode_over_count_newest_go.toFixed(2)} times with Go ${NEWEST_GO}.`,
          `Counting at the functions' entries costs ${figures.entry_over_decode.toFixed(1)} times what decoding costs, at entries and returns ${figures.entry_and_returns_over_decode.toFixed(1)} times.`,
          ...(withBpftrace ? [] : ['bpftrace is not installed.']),
        ],
      },
    };
  },
};

/** Decoding and counting only, with the newest release of Go. */
async function measureNewest(run: Run): Promise<LookupCost[]> {
  const service = await LookupService.start(NEWEST_GO);
  run.after(async () => service.stop());
  const all = await setups(run, mapped(service.pid));
  const wanted = all.filter(({ name }) => ['bare', 'count', 'decode'].includes(name));
  return measure(service, wanted, run.quick ? 5 : 11, run.quick ? 25_000 : 100_000);
}

async function measure(
  service: LookupService,
  all: readonly Setup[],
  rounds: number,
  count: number,
): Promise<LookupCost[]> {
  const samples = new Map(CASES.map((one) => [one, new Map<string, number[]>()]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, attach, detach } of all) {
      await attach();
      for (const one of CASES) {
        const batch = Math.ceil((count * (SHARE[name] ?? SHARE_OF_OTHERS)) / BATCHES);
        const taken = samples.get(one)?.get(name) ?? [];
        for (let i = 0; i < BATCHES; i++) {
          taken.push(await service.measure(one, batch));
        }
        samples.get(one)?.set(name, taken);
      }
      await detach();
    }
  }
  return [...samples].map(([one, bySetup]) => ({
    case: one,
    nanoseconds: Object.fromEntries([...bySetup].map(([name, values]) => [name, quantile(values, 0.25)])),
  }));
}
