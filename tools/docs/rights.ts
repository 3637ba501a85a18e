import { CAPABILITIES, type Capability, SYS_ADMIN } from '../../src/base/capabilities.ts';
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
  ].join('\n\n')}\n`;
}
