import { CAPABILITIES, type Capability, SYS_ADMIN } from '../../src/base/capabilities.ts';
import { SYSTEM_CALLS } from '../kubernetes/seccomp.ts';
import { code, table } from './markdown.ts';

/** docs/rights.md: the capabilities that mapscope uses. */
export function rightsDocument(): string {
  const row = ({ name, use, without }: Capability): string[] => [code(`CAP_${name}`), use, without];
  return `${[
    '# Rights',
    'Made by `npm run docs` from `src/base/capabilities.ts`, as are the Kubernetes manifests and the systemd unit. `mapscope doctor` says which of them it has.',
    table(['capability', 'what for', 'without it'], CAPABILITIES.map(row)).join('\n'),
    'On kernels that attach probes one by one ([which](kernels.md)) one more is needed, which no manifest gives:',
    table(['capability', 'what for', 'without it'], [row(SYS_ADMIN)]).join('\n'),
    '## System calls',
    "Where the runtime's default seccomp profile forbids what these capabilities are for (`bpf`, `perf_event_open`), or more is to be forbidden than it does: [seccomp.json](../otel-config/kubernetes/seccomp.json) allows the following and refuses all else with `EPERM`. Put it under `/var/lib/kubelet/seccomp/` on each node and name it in the container: `seccompProfile: { type: Localhost, localhostProfile: mapscope.json }`. It is for observing; `mapscope run` and `verify -- PROGRAM` need `ptrace` besides.",
    table(
      ['what for', 'system calls'],
      SYSTEM_CALLS.map(({ purpose, calls }) => [purpose, calls.map(code).join(' ')]),
    ).join('\n'),
    'No socket listens unless an option asks for one. The tests observe as nobody with these capabilities, under this filter and without a way to more rights (`test/faults/rights.test.ts`), and take each capability away in turn.',
  ].join('\n\n')}\n`;
}
