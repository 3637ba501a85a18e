import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import {
  BPF_RIGHTS_TEXT,
  CAPABILITIES,
  hasCapability,
  SYS_ADMIN,
  SYS_NICE,
  SYS_PTRACE,
} from '../../base/capabilities.ts';
import { EXIT, UserError } from '../../base/errors.ts';
import { textOf } from '../../base/terminal.ts';
import { addon } from '../../kernel/addon.ts';
import { kernelAttachMethod } from '../../programs/attach-method.ts';
import { whatIsMissing } from '../../programs/objects.ts';
import { tryPrograms } from '../../programs/try-programs.ts';
import { mayTrace, yamaForbids } from '../../target/rights.ts';
import type { Finding } from '../doctor/finding.ts';
import { writeText } from '../write-text.ts';

/** `mapscope doctor [--pid N]`: what this machine and this target allow. @returns the exit status */
export async function doctor(pid: number | undefined): Promise<number> {
  const findings = [
    machine(),
    ...processors(),
    ...(await thisProcess()),
    ...(pid === undefined ? [] : await target(pid)),
  ];
  const lines = findings.flatMap(({ subject, state, detail, remedy }) => [
    `${MARKS[state]} ${subject.padEnd(18)} ${detail}`,
    ...(remedy === undefined ? [] : [`  ${' '.repeat(18)}   fix: ${remedy}`]),
  ]);
  await writeText(textOf(lines), undefined);
  return findings.some((f) => f.state === 'missing') ? EXIT.cannotObserve : EXIT.done;
}

const MARKS: Readonly<Record<Finding['state'], string>> = {
  ok: '  ok     ',
  limited: '  limited',
  missing: '  MISSING',
};

function machine(): Finding {
  if (process.arch !== 'x64') {
    return { subject: 'machine', state: 'missing', detail: `${process.arch}: only x86-64 is supported` };
  }
  return { subject: 'kernel', state: 'ok', detail: `Linux ${release()}` };
}

/** Per-CPU counts cannot be read without the kernel's list: a finding only when that is missing. */
function processors(): Finding[] {
  const list = '/sys/devices/system/cpu/possible';
  if (existsSync(list)) {
    return [];
  }
  const detail = `${list} is missing`;
  return [{ subject: 'processors', state: 'missing', detail, remedy: 'mount sysfs at /sys' }];
}

/** What this process may do, found out by trying, which takes the native addon. */
async function thisProcess(): Promise<Finding[]> {
  try {
    return [bpfRights(), ...(await programs()), uprobes(), windows(), ...otherProcesses()];
  } catch (error) {
    if (!(error instanceof UserError)) {
      throw error;
    }
    return [{ subject: 'native addon', state: 'missing', detail: error.message }];
  }
}

function bpfRights(): Finding {
  const { bpf, bpfError } = addon.features();
  const subject = 'rights';
  if (bpf) {
    return { subject, state: 'ok', detail: `BPF programs can be loaded (${capabilities()})` };
  }
  return {
    subject,
    state: 'missing',
    detail: bpfError,
    remedy: `run as root, or with ${BPF_RIGHTS_TEXT}`,
  };
}

/** Whether this kernel takes the programs, found out by loading them. */
async function programs(): Promise<Finding[]> {
  const features = addon.features();
  if (!features.bpf) {
    return [];
  }
  const subject = 'programs';
  const lack = whatIsMissing(features);
  const failures = lack === undefined ? await tryPrograms() : [lack];
  return failures.length === 0
    ? [{ subject, state: 'ok', detail: "this kernel's verifier takes them" }]
    : failures.map((detail) => ({ subject, state: 'missing', detail, remedy: OLDEST_TESTED }));
}

/** What loads decides, not this number. */
const OLDEST_TESTED = 'use Linux 6.1 or newer: that is what is tested';

function uprobes(): Finding {
  const features = addon.features();
  if (!features.bpf) {
    return { subject: 'probes', state: 'limited', detail: 'cannot be checked without the right to use BPF' };
  }
  const method = kernelAttachMethod(features);
  const sleepable = features.sleepableUprobes
    ? ''
    : '; lookups in memory that is not present are unreadable (as before Linux 6.0)';
  if (method === 'uprobe_multi') {
    return { subject: 'probes', state: 'ok', detail: `one link for all probe sites${sleepable}` };
  }
  return {
    subject: 'probes',
    state: 'limited',
    detail: `one perf event per probe site, slower to attach${sleepable}`,
    remedy: 'use a kernel that attaches all sites at once, as Linux 6.10 and newer do',
  };
}

function windows(): Finding {
  const subject = 'windows';
  if (addon.features().realTime) {
    return { subject, state: 'ok', detail: 'run at real-time priority, so they stay short on busy machines' };
  }
  return {
    subject,
    state: 'limited',
    detail: 'have to wait for a CPU on a busy machine: the budget pays for fewer lookups',
    remedy: `add CAP_${SYS_NICE.name}`,
  };
}

/** Whose processes can be observed: a finding only when that is not everybody's. */
function otherProcesses(): Finding[] {
  const subject = 'processes';
  const yama = yamaForbids({ ofStarted: false });
  if (yama !== undefined) {
    const ofAll = yamaForbids({ ofStarted: true }) !== undefined;
    return [{ subject, state: ofAll ? 'missing' : 'limited', detail: `memory cannot be read: ${yama}` }];
  }
  if (mayTrace()) {
    return [];
  }
  return [
    {
      subject,
      state: 'limited',
      detail: "only this user's can be observed",
      remedy: `add CAP_${SYS_PTRACE.name}`,
    },
  ];
}

/** The effective capabilities of this process that matter, in words. */
function capabilities(): string {
  const mask = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const effective = BigInt(`0x${mask}`);
  const held = [...CAPABILITIES, SYS_ADMIN].filter((capability) => hasCapability(effective, capability));
  return held.length > 0 ? held.map(({ name }) => `CAP_${name}`).join(', ') : 'no capabilities';
}

/** What reads and plans binaries takes long to load. */
async function target(pid: number): Promise<Finding[]> {
  const { targetFindings } = await import('../doctor/target.ts');
  return await targetFindings(pid);
}
