import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { addon, type ProbeObject } from '../../src/kernel/addon.ts';
import type { ProbePlan } from '../../src/plan/lookups/plan.ts';
import { planReturns } from '../../src/plan/lookups/returns.ts';
import { LookupProgram, type ProgramOptions } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import type { MappedBinary } from '../../src/target/mapped.ts';
import type { Run } from './part.ts';

/** What is attached while lookups are measured. */
export interface Setup {
  readonly name: string;
  attach(): Promise<void>;
  detach(): Promise<void>;
}

const COUNTING_OBJECT = fileURLToPath(new URL('../../build/bpf/count.bpf.o', import.meta.url));

const nothing = async (): Promise<void> => {};

/** Nothing; counting and full decoding at the probe sites, also by goroutine; what others do: counting at entries, and at entries and returns. */
export async function setups(run: Run, target: MappedBinary): Promise<Setup[]> {
  const { pid, binary } = target;
  const preparation = prepare(binary);
  const { plan } = preparation;
  const sites = plan.sites.map((site) => site.fileOffset);
  const entries = probed(plan).map(({ entry }) => binary.fileOffset(entry) ?? 0);
  const returns = planReturns(binary, plan).map((site) => site.fileOffset);
  return [
    { name: 'bare', attach: nothing, detach: nothing },
    await counting(run, 'count', pid, sites),
    await decoding(run, 'decode', { target, preparation }),
    // What the command does unless told otherwise.
    await decoding(run, 'by goroutine', { target, preparation, goroutineCosts: true }),
    await counting(run, 'entry', pid, entries),
    await counting(run, 'entry + returns', pid, [...entries, ...returns]),
  ];
}

/** The same with bpftrace at the functions' entries; none when it is not installed. */
export function bpftraceSetups(run: Run, pid: number, path: string, plan: ProbePlan): Setup[] {
  if (spawnSync('bpftrace', ['--version']).status !== 0) {
    return [];
  }
  const probes = probed(plan).map(({ name }) => `uprobe:${path}:"${name}"`);
  return [
    bpftrace(run, 'bpftrace count()', pid, `${probes.join(',')} { @ = count(); }`),
    bpftrace(run, 'bpftrace hist()', pid, `${probes.join(',')} { @ = hist(reg("ax") & 1023); }`),
  ];
}

function probed(plan: ProbePlan) {
  return plan.functions.filter(({ outcome }) => outcome === 'probed');
}

async function decoding(run: Run, name: string, options: ProgramOptions): Promise<Setup> {
  const program = await LookupProgram.load(options);
  run.after(async () => program.close());
  return { name, attach: () => program.attach(), detach: () => program.detach() };
}

async function counting(run: Run, name: string, pid: number, offsets: readonly number[]): Promise<Setup> {
  const program = await loadCounting();
  run.after(async () => program.close());
  return {
    name,
    attach: () =>
      program.attach({
        path: `/proc/${pid}/exe`,
        pid,
        offsets: offsets.map(BigInt),
        cookies: offsets.map((_, i) => BigInt(i)),
      }),
    detach: () => program.detach(),
  };
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

function bpftrace(run: Run, name: string, pid: number, script: string): Setup {
  let child: ChildProcess | undefined;
  run.after(async () => {
    child?.kill('SIGKILL');
  });
  return {
    name,
    attach: async () => {
      // BEGIN runs when all other probes are attached.
      const text = `${script} BEGIN { printf("attached\\n"); }`;
      child = spawn('bpftrace', ['-B', 'none', '-p', String(pid), '-e', text], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const started = child;
      const ended = once(started, 'exit').then(() => {
        throw new Error('bpftrace has ended early');
      });
      const attached = (async () => {
        for await (const chunk of started.stdout ?? []) {
          if (String(chunk).includes('attached')) {
            return;
          }
        }
      })();
      await Promise.race([attached, ended]);
      ended.catch(() => {});
    },
    detach: async () => {
      if (child === undefined || child.exitCode !== null) {
        return;
      }
      const ending = child;
      // bpftrace forgets a SIGINT that comes too early.
      const again = setInterval(() => ending.kill('SIGINT'), 500);
      ending.kill('SIGINT');
      await once(ending, 'exit');
      clearInterval(again);
    },
  };
}
