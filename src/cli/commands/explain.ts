import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, UserError } from '../../base/errors.ts';
import { jsonOf, type SafeText, textOf } from '../../base/terminal.ts';
import type { Settings } from '../../config/settings.ts';
import { addon } from '../../kernel/addon.ts';
import { CostMeter } from '../../observe/cost/cost-meter.ts';
import { floorRate } from '../../observe/windows/costs.ts';
import type { ProbePlan } from '../../plan/lookups/plan.ts';
import { kernelAttachMethod } from '../../programs/attach-method.ts';
import { Executables, type Prepared } from '../../session/executables.ts';
import { namedProcess } from '../../session/process-images.ts';
import { processFacts } from '../../target/finding/process-facts.ts';
import { decide, type Selection } from '../../target/finding/selection.ts';
import { MappedBinary } from '../../target/mapped.ts';
import { executableName } from '../../target/process.ts';
import { writeText } from '../write-text.ts';
import { type ShownDecision, shownDecision } from './ps.ts';

/** How long the target's use of CPU is watched. */
const WATCHED_MILLIS = 1000;

interface Explanation {
  readonly schema: 'mapscope/explain/v1';
  readonly pid: number;
  readonly exe: string;
  /** What the rules make of it. */
  readonly decision: ShownDecision;
  readonly images: readonly ExplainedImage[];
  /** Why it cannot be observed; null when it can, as far as one sees without attaching. */
  readonly problem: string | null;
  readonly cost: Cost | null;
}

/** An executable or library of Go that the process runs. */
interface ExplainedImage {
  readonly file: string;
  readonly goVersion: string;
  readonly mapImplementation: string;
  readonly module: string | null;
  readonly moduleVersion: string | null;
  readonly stripped: boolean;
  /** Settings of the build, such as -race or GOEXPERIMENT; empty when it does not say. */
  readonly settings: Readonly<Record<string, string>>;
  readonly functions: readonly { name: string; outcome: string; sites: readonly Site[]; reason?: string }[];
}

interface Site {
  readonly address: string;
  readonly instruction: string;
}

/** What observing in windows would cost. */
interface Cost {
  /** CPUs that the process kept busy while it was watched. */
  readonly targetCpus: number;
  /** Share of its CPU time that observation may cost. */
  readonly budget: number;
  /** CPU seconds per second that it would cost at most: the budget, or, for a process that does little, what a few lookups cost. */
  readonly most: number;
  /** CPU seconds of one hit before it is decoded, measured on this machine in this process; null when that could not be done. */
  readonly trapSeconds: number | null;
}

/** `mapscope explain PID`: which rule takes a process, how it was built, where probes would go, and what that would cost. */
export async function explain(id: number, selection: Selection, settings: Settings): Promise<void> {
  const pid = namedProcess(id);
  const exe = executableName(pid);
  const decision = shownDecision(decide(processFacts(pid), selection), selection);
  const known = { schema: 'mapscope/explain/v1', pid, exe, decision } as const;
  const explanation: Explanation = await explained(pid, settings).then(
    (found) => ({ ...known, ...found }),
    (error: unknown) => {
      if (error instanceof UserError) {
        return { ...known, images: [], problem: messageOf(error), cost: null };
      }
      throw error;
    },
  );
  await writeText(settings.format === 'table' ? text(explanation) : jsonOf(explanation), undefined);
}

async function explained(
  pid: number,
  settings: Settings,
): Promise<Pick<Explanation, 'images' | 'problem' | 'cost'>> {
  const opened = await new Executables(settings).openImages(pid);
  try {
    const planned = await Promise.all(opened.map(async (image) => ({ image, plan: await planOf(image) })));
    const images = planned.map(({ image, plan }) => explainedImage(image, plan));
    const problem = problemWith(pid, planned);
    const sites = planned.reduce((sum, { plan }) => sum + plan.sites.length, 0);
    return { images, problem, cost: problem === null ? await costOf(pid, sites, settings.budget) : null };
  } finally {
    for (const { executable } of opened) {
      executable.close();
    }
  }
}

async function planOf({ binary, preparation }: Prepared): Promise<ProbePlan> {
  return preparation?.plan ?? (await import('../../plan/lookups/plan.ts')).planProbes(binary);
}

function explainedImage({ executable, binary }: Prepared, plan: ProbePlan): ExplainedImage {
  return {
    file: executable.name,
    goVersion: binary.version.text,
    mapImplementation: binary.mapImplementation,
    module: binary.modulePath ?? null,
    moduleVersion: binary.moduleVersion ?? null,
    stripped: binary.stripped,
    settings: Object.fromEntries(binary.buildSettings),
    functions: plan.functions.map((fn, i) => ({
      name: fn.name,
      outcome: fn.outcome,
      sites: plan.sites
        .filter(({ functionIndex }) => functionIndex === i)
        .map(({ address, instruction }) => ({ address: `0x${address.toString(16)}`, instruction })),
      ...(fn.outcome === 'refused' && { reason: fn.reason }),
    })),
  };
}

/** What would keep probes out of every image, as far as one sees without attaching. */
function problemWith(
  pid: number,
  planned: readonly { readonly image: Prepared; readonly plan: ProbePlan }[],
): string | null {
  const problems = planned.map(({ image: { executable, binary }, plan }) => {
    if (plan.sites.length === 0) {
      return `${executable.name} has no lookup function that can be probed.`;
    }
    try {
      MappedBinary.of(pid, executable, binary).checkCode(plan.sites);
      return undefined;
    } catch (error) {
      if (error instanceof UserError) {
        return messageOf(error);
      }
      throw error;
    }
  });
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === problems.length) {
    return found.join(' ');
  }
  const { bpf, bpfError } = addon.features();
  return bpf ? null : bpfError;
}

async function costOf(pid: number, sites: number, budget: number): Promise<Cost | null> {
  const meter = new CostMeter(kernelAttachMethod(addon.features()), sites);
  await meter.refresh();
  const load = await loadOf(pid);
  if (load === undefined) {
    return null;
  }
  const targetCpus = load.cpuSeconds / load.seconds;
  return {
    targetCpus,
    budget,
    most: Math.max(budget * targetCpus, floorRate(meter.costs)),
    trapSeconds: meter.isTrapMeasured ? meter.trapSeconds : null,
  };
}

/** What the process uses while it is watched; undefined when it ends meanwhile. */
async function loadOf(pid: number): Promise<{ seconds: number; cpuSeconds: number } | undefined> {
  try {
    const start = { at: performance.now(), cpu: addon.cpuSeconds(pid) };
    await wait(WATCHED_MILLIS);
    return {
      cpuSeconds: addon.cpuSeconds(pid) - start.cpu,
      seconds: (performance.now() - start.at) / 1000,
    };
  } catch {
    return undefined;
  }
}

function text({ pid, exe, decision, images, problem, cost }: Explanation): SafeText {
  return textOf([
    `process ${pid}  ${exe}`,
    `rules        ${decision.observe ? 'observe' : 'leave'}: ${decision.reason}`,
    ...images.flatMap(imageLines),
    ...(problem === null ? [] : [`problem      ${problem}`]),
    ...(cost === null ? [] : costLines(cost)),
  ]);
}

function imageLines(image: ExplainedImage): string[] {
  const settings = Object.entries(image.settings).map(([name, value]) => `${name}=${value}`);
  const module = image.module === null ? [] : [`${image.module} ${image.moduleVersion ?? '(no version)'}`];
  return [
    `image        ${image.file}`,
    `build        ${[image.goVersion, `${image.mapImplementation} maps`, ...module, ...(image.stripped ? ['stripped'] : [])].join(', ')}`,
    ...(settings.length === 0 ? [] : [`settings     ${settings.join(' ')}`]),
    'sites',
    ...image.functions.map(({ name, outcome, sites, reason }) => {
      const places = sites.map(({ address, instruction }) => `${address} ${instruction}`).join('; ');
      return `  ${name}: ${reason === undefined ? places || outcome : `refused: ${reason}`}`;
    }),
  ];
}

function costLines({ targetCpus, budget, most, trapSeconds }: Cost): string[] {
  const used = `the process uses ${(100 * targetCpus).toFixed(1)} % of a CPU`;
  const trap =
    trapSeconds === null
      ? 'what a hit costs could not be measured'
      : `a hit costs ${Math.round(1e9 * trapSeconds)} ns and its decoding`;
  return [
    `cost         at most ${(100 * most).toFixed(3)} % of a CPU: ${used}, the budget is ${100 * budget} % of that; ${trap}`,
  ];
}
