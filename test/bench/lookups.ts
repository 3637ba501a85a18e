import { fileURLToPath } from 'node:url';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { addon, type ProbeObject } from '../../src/kernel/addon.ts';
import { prepare } from '../../src/observe/preparation.ts';
import { LookupProgram } from '../../src/observe/program.ts';
import type { ProbePlan } from '../../src/probesites/plan.ts';
import { CASES, type Case, LookupService } from './service.ts';
import { median } from './statistics.ts';

/** Nanoseconds per lookup in one case, medians over the rounds. */
export interface LookupCost {
  readonly case: Case;
  readonly bare: number;
  readonly count: number;
  readonly decode: number;
  /** Decoded, and counted by goroutine, too: what the command does unless told otherwise. */
  readonly goroutines: number;
}

export interface LookupCosts {
  readonly cases: readonly LookupCost[];
  /** Cost of full decoding over that of counting at the same sites: what probing adds to a lookup, summed over all cases. */
  readonly decodeOverCount: number;
  /** The same with lookups counted by goroutine. */
  readonly goroutinesOverCount: number;
}

const COUNTING_OBJECT = fileURLToPath(new URL('../../build/bpf/count.bpf.o', import.meta.url));

/** What is attached while a round of lookups is measured. */
interface Setup {
  readonly name: 'bare' | 'count' | 'decode' | 'goroutines';
  readonly lookups: number;
  attach(): Promise<void>;
  detach(): Promise<void>;
}

/**
 * Measures what a lookup costs bare, with a program that only counts at the probe sites, and with the full decoding at the
 * same sites: in one run, alternating, because the machine's speed drifts.
 */
export async function measureLookups(rounds: number, lookups: number): Promise<LookupCosts> {
  const service = await LookupService.start();
  const binary = openGoBinary(service.path);
  const preparation = prepare(binary);
  const { plan } = preparation;
  const counting = await loadCounting();
  const options = { pid: service.pid, binary, preparation };
  const decoding = await LookupProgram.load(options);
  const byGoroutine = await LookupProgram.load({ ...options, goroutineCosts: true });
  try {
    const setups: readonly Setup[] = [
      { name: 'bare', lookups: 50 * lookups, attach: async () => {}, detach: async () => {} },
      {
        name: 'count',
        lookups,
        attach: () => attach(counting, service.pid, plan),
        detach: () => counting.detach(),
      },
      { name: 'decode', lookups, attach: () => decoding.attach(), detach: () => decoding.detach() },
      {
        name: 'goroutines',
        lookups,
        attach: () => byGoroutine.attach(),
        detach: () => byGoroutine.detach(),
      },
    ];
    return summarize(await measure(service, setups, rounds));
  } finally {
    decoding.close();
    byGoroutine.close();
    counting.close();
    service.stop();
  }
}

async function loadCounting(): Promise<ProbeObject> {
  const program = new addon.ProbeObject({
    objectPath: COUNTING_OBJECT,
    attachMethod: 'uprobe_multi',
    sleepable: true,
    readOnlyData: {},
    mapSizes: {},
  });
  await program.load();
  return program;
}

function attach(program: ProbeObject, pid: number, plan: ProbePlan): Promise<void> {
  const offsets = plan.sites.map((site) => BigInt(site.fileOffset));
  return program.attach({
    path: `/proc/${pid}/exe`,
    pid,
    offsets,
    cookies: offsets.map((_, i) => BigInt(i)),
  });
}

type Samples = Map<Case, Record<Setup['name'], number[]>>;

async function measure(service: LookupService, setups: readonly Setup[], rounds: number): Promise<Samples> {
  const samples: Samples = new Map(
    CASES.map((one) => [one, { bare: [], count: [], decode: [], goroutines: [] }]),
  );
  for (let round = 0; round < rounds; round++) {
    for (const setup of setups) {
      await setup.attach();
      for (const one of CASES) samples.get(one)?.[setup.name].push(await service.measure(one, setup.lookups));
      await setup.detach();
    }
  }
  return samples;
}

function summarize(samples: Samples): LookupCosts {
  const cases = [...samples].map(([one, { bare, count, decode, goroutines }]) => ({
    case: one,
    bare: median(bare),
    count: median(count),
    decode: median(decode),
    goroutines: median(goroutines),
  }));
  const sum = (cost: (c: LookupCost) => number) => cases.reduce((total, c) => total + cost(c), 0);
  const counted = sum((c) => c.count - c.bare);
  return {
    cases,
    decodeOverCount: sum((c) => c.decode - c.bare) / counted,
    goroutinesOverCount: sum((c) => c.goroutines - c.bare) / counted,
  };
}
