/** A right that Linux gives processes one by one. */
export interface Capability {
  /** Without the prefix CAP_. */
  readonly name: string;
  /** Its number in include/uapi/linux/capability.h. */
  readonly bit: number;
  /** What mapscope does with it. */
  readonly use: string;
  /** What becomes of an observation without it. */
  readonly without: string;
}

/** The right to look at processes of others. */
export const SYS_PTRACE: Capability = {
  name: 'SYS_PTRACE',
  bit: 19,
  use: 'reads what /proc says of processes of other users, and their memory',
  without: "only processes of mapscope's own user are observed, and none where Yama restricts ptrace",
};

/** The right to real-time priorities. */
export const SYS_NICE: Capability = {
  name: 'SYS_NICE',
  bit: 23,
  use: 'opens and closes windows at real-time priority',
  without: 'windows wait for a CPU on a busy machine, and the budget pays for fewer lookups',
};

/** What it takes to use BPF at all. */
const BPF_RIGHTS: readonly Capability[] = [
  { name: 'BPF', bit: 39, use: 'loads BPF programs and makes their maps', without: 'nothing is observed' },
  {
    name: 'PERFMON',
    bit: 38,
    use: "attaches them to a process's instructions, and lets them read its memory",
    without: 'nothing is observed',
  },
];

/** All that mapscope uses: what manifests, units and documents name is made from this list. */
export const CAPABILITIES: readonly Capability[] = [...BPF_RIGHTS, SYS_PTRACE, SYS_NICE];

/** What a kernel without usable uprobe_multi links demands besides. */
export const SYS_ADMIN: Capability = {
  name: 'SYS_ADMIN',
  bit: 21,
  use: 'attaches one perf event per probe site, where the kernel has no usable uprobe_multi links',
  without: 'nothing is observed on such a kernel; `mapscope doctor` says whether yours is one',
};

/** Several as sentences name them: `CAP_BPF and CAP_PERFMON`. */
export const BPF_RIGHTS_TEXT = BPF_RIGHTS.map(({ name }) => `CAP_${name}`).join(' and ');

/** Whether a mask of /proc/PID/status has a capability. */
export function hasCapability(mask: bigint, { bit }: Capability): boolean {
  return ((mask >> BigInt(bit)) & 1n) === 1n;
}
