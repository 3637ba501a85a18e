import type { Frame } from '../gobinary/index.ts';
import { mapCallSites } from '../probesites/callsites.ts';
import { planProbes } from '../probesites/plan.ts';
import { openTarget } from './target.ts';

export interface ScanOptions {
  readonly format?: string;
}

/** `mapscope scan BINARY`: every map lookup in a binary, and what the planner makes of its lookup functions. */
export function scan(path: string, { format }: ScanOptions): void {
  const binary = openTarget(path);
  const plan = planProbes(binary);
  const callSites = [...mapCallSites(binary)].map(({ returnAddress, variant, frames }) => {
    const [innermost, ...outer] = frames;
    return {
      function: innermost?.function ?? '?',
      file: innermost?.file ?? '?',
      line: innermost?.line ?? 0,
      variant,
      inlinedInto: outer.map((frame) => frame.function),
      returnAddress: `0x${returnAddress.toString(16)}`,
    };
  });
  const functions = plan.functions.map((fn) => ({
    name: fn.name,
    outcome: fn.outcome,
    ...(fn.outcome === 'refused' && { reason: fn.reason }),
    ...(fn.outcome === 'delegates' && { to: fn.to }),
    sites: plan.sites
      .filter((site) => plan.functions[site.functionIndex] === fn)
      .map((site) => ({
        address: `0x${site.address.toString(16)}`,
        instruction: site.instruction,
        hash: site.hasHash,
      })),
  }));
  const document = {
    schema: 'mapscope/scan/v1',
    exe: path,
    goVersion: binary.version.text,
    mapImplementation: binary.mapImplementation,
    functions,
    callSites,
  };
  process.stdout.write(format === 'json' ? `${JSON.stringify(document, null, 2)}\n` : text(document));
}

type Document = {
  readonly exe: string;
  readonly goVersion: string;
  readonly mapImplementation: string;
  readonly functions: readonly {
    name: string;
    outcome: string;
    reason?: string;
    to?: string;
    sites: readonly Site[];
  }[];
  readonly callSites: readonly (Pick<Frame, 'function' | 'file' | 'line'> & {
    variant: string;
    inlinedInto: string[];
  })[];
};
type Site = { readonly address: string; readonly instruction: string; readonly hash: boolean };

function text({ exe, goVersion, mapImplementation, functions, callSites }: Document): string {
  const lines = [`${exe}: ${goVersion}, ${mapImplementation} maps`, '', 'lookup functions'];
  for (const fn of functions) {
    if (fn.outcome === 'refused') lines.push(`  ${fn.name}: cannot be observed, ${fn.reason}`);
    else if (fn.outcome === 'delegates') lines.push(`  ${fn.name}: calls ${fn.to}`);
    else {
      const sites = fn.sites.map(
        (site) => `${site.address} ${site.instruction}${site.hash ? ' (hash known)' : ''}`,
      );
      lines.push(`  ${fn.name}: ${sites.join('; ')}`);
    }
  }
  lines.push('', `${callSites.length} call sites`);
  for (const site of callSites) {
    const into = site.inlinedInto.length > 0 ? ` inlined into ${site.inlinedInto.join(', ')}` : '';
    lines.push(`  ${site.variant.padEnd(20)} ${site.file}:${site.line} ${site.function}${into}`);
  }
  return `${lines.join('\n')}\n`;
}
