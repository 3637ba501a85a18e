import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { EXIT, messageOf } from '../errors.ts';
import { compareWithDwarf, type GoBinary } from '../gobinary/index.ts';
import { addon } from '../kernel/addon.ts';
import { kernelAttachMethod } from '../observe/attachmethod.ts';
import { planProbes } from '../probesites/plan.ts';
import { checkMappedBytes, loadBias } from '../target/mapped.ts';
import { executableName, executablePath } from '../target/process.ts';
import { findThreadContextMap } from '../target/threadcontext.ts';
import { planTraceSites } from '../tracesites/plan.ts';
import { openTarget } from './target.ts';

/** One line of the diagnosis: what was looked at, how it is, and how to mend it. */
interface Finding {
  readonly subject: string;
  readonly state: 'ok' | 'limited' | 'missing';
  readonly detail: string;
  readonly remedy?: string;
}

/** `mapscope doctor [--pid N]`: what this machine and this target allow. @returns the exit status */
export function doctor(pid: number | undefined): number {
  const findings = [kernel(), bpfRights(), uprobes(), windows(), ...(pid === undefined ? [] : target(pid))];
  for (const { subject, state, detail, remedy } of findings) {
    process.stdout.write(`${MARKS[state]} ${subject.padEnd(18)} ${detail}\n`);
    if (remedy !== undefined) process.stdout.write(`  ${' '.repeat(18)}   to mend it: ${remedy}\n`);
  }
  return findings.some((f) => f.state === 'missing') ? EXIT.cannotObserve : EXIT.done;
}

const MARKS: Readonly<Record<Finding['state'], string>> = {
  ok: '  ok     ',
  limited: '  limited',
  missing: '  MISSING',
};

/** bpf_loop came with 5.17; before that the program cannot be loaded. */
const OLDEST_KERNEL = [5, 17] as const;

function kernel(): Finding {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  const good = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const architecture = process.arch === 'x64';
  if (!architecture)
    return { subject: 'machine', state: 'missing', detail: `${process.arch}: only x86-64 is supported` };
  return {
    subject: 'kernel',
    state: good ? 'ok' : 'missing',
    detail: `Linux ${release()}`,
    ...(!good && { remedy: `Linux ${oldestMajor}.${oldestMinor} or newer is needed` }),
  };
}

function bpfRights(): Finding {
  const { bpf, bpfError } = addon.features();
  const subject = 'rights';
  if (bpf) return { subject, state: 'ok', detail: `BPF programs may be loaded (${capabilities()})` };
  return {
    subject,
    state: 'missing',
    detail: bpfError,
    remedy: 'run as root, or with CAP_BPF and CAP_PERFMON',
  };
}

function uprobes(): Finding {
  const features = addon.features();
  if (!features.bpf)
    return { subject: 'probes', state: 'limited', detail: 'can only be told with the right to use BPF' };
  const method = kernelAttachMethod(features);
  const sleepable = features.sleepableUprobes
    ? ''
    : '; memory that is not present makes a lookup unreadable (before Linux 6.0)';
  if (method === 'uprobe_multi')
    return { subject: 'probes', state: 'ok', detail: `one link for all probe sites${sleepable}` };
  return {
    subject: 'probes',
    state: 'limited',
    detail: `one perf event per probe site, slower to attach${sleepable}`,
    remedy: 'Linux 6.10 or newer attaches all sites at once',
  };
}

function windows(): Finding {
  const subject = 'windows';
  if (addon.features().realTime)
    return { subject, state: 'ok', detail: 'at real-time priority: short on busy machines, too' };
  return {
    subject,
    state: 'limited',
    detail: 'wait for processors: on a busy machine the budget pays for fewer lookups',
    remedy: 'add CAP_SYS_NICE',
  };
}

function target(pid: number): Finding[] {
  try {
    const name = executableName(pid);
    const binary = openTarget(executablePath(pid), name);
    const findings: Finding[] = [
      {
        subject: 'target',
        state: 'ok',
        detail: `${name}: ${binary.version.text}, ${binary.mapImplementation} maps`,
      },
      layouts(binary),
    ];
    const plan = planProbes(binary);
    for (const fn of plan.functions)
      if (fn.outcome === 'refused')
        findings.push({
          subject: 'lookup function',
          state: 'limited',
          detail: `${fn.name} is not observed: ${fn.reason}`,
        });
    checkMappedBytes(pid, loadBias(pid, binary), plan.sites);
    const probed = plan.functions.filter((fn) => fn.outcome === 'probed').length;
    const detail = `${plan.sites.length} in ${probed} lookup functions, their code as in the file`;
    findings.push({ subject: 'probe sites', state: plan.sites.length > 0 ? 'ok' : 'missing', detail });
    return [...findings, ...traceSources(binary)];
  } catch (error) {
    return [{ subject: 'target', state: 'missing', detail: messageOf(error) }];
  }
}

/** Where the traces of lookups would be known from. Labels are always looked at; what is absent is no finding. */
function traceSources(binary: GoBinary): Finding[] {
  const subject = 'traces';
  const plans = planTraceSites(binary);
  const followed = plans.flatMap(({ source, outcome }) => (outcome === 'followed' ? [source] : []));
  const thread = findThreadContextMap(process.env);
  const sources = [
    'labels',
    ...followed.filter((source) => source !== 'goroutines'),
    ...(thread ? ['obi'] : []),
  ];
  return [
    { subject, state: 'ok', detail: `from ${sources.join(', ')}` },
    ...plans.flatMap((plan): Finding[] =>
      plan.outcome === 'refused'
        ? [{ subject, state: 'limited', detail: `${plan.source} is not followed: ${plan.reason}` }]
        : [],
    ),
  ];
}

/** Whether anything confirms the layouts that the target's maps are read with. openTarget has refused what contradicts them. */
function layouts(binary: GoBinary): Finding {
  const subject = 'layouts';
  const check = compareWithDwarf(binary);
  switch (check.state) {
    case 'checked':
      return { subject, state: 'ok', detail: `as in the debug information (${check.structures.join(', ')})` };
    case 'none':
      return { subject, state: 'ok', detail: `those of Go 1.${binary.version.minor}; no debug information` };
    case 'not checked':
      return {
        subject,
        state: 'limited',
        detail: `not compared with the debug information: ${check.reason}`,
      };
  }
}

/** The effective capabilities of this process that matter, in words. */
function capabilities(): string {
  const mask = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const effective = BigInt(`0x${mask}`);
  // Numbers from include/uapi/linux/capability.h.
  const known = { SYS_PTRACE: 19n, SYS_ADMIN: 21n, SYS_NICE: 23n, PERFMON: 38n, BPF: 39n };
  const held = Object.entries(known).filter(([, bit]) => (effective >> bit) & 1n);
  return held.length > 0 ? held.map(([name]) => `CAP_${name}`).join(', ') : 'no capabilities';
}
