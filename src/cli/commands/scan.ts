import { jsonOf, type SafeText, textOf } from '../../base/terminal.ts';
import type { Frame } from '../../gobinary/index.ts';
import { mapCallSites } from '../../plan/lookups/call-sites.ts';
import { planProbes } from '../../plan/lookups/plan.ts';
import { plainTable } from '../../report/table/plain-table.ts';
import { openTarget } from '../../session/target.ts';
import { Executable } from '../../target/executable.ts';
import { writeText } from '../write-text.ts';

export interface ScanOptions {
  readonly format?: string;
}

/** `mapscope scan BINARY`: every map lookup in a binary, and what the planner makes of its lookup functions. */
export async function scan(path: string, { format }: ScanOptions): Promise<void> {
  const binary = openTarget(Executable.atPath(path));
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
  await writeText(format === 'json' ? jsonOf(document) : text(document), undefined);
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

function text({ exe, goVersion, mapImplementation, functions, callSites }: Document): SafeText {
  const lines = [`${exe}: ${goVersion}, ${mapImplementation} maps`, '', 'lookup functions'];
  for (const fn of functions) {
    if (fn.outcome === 'refused') {
      lines.push(`  ${fn.name}: cannot be observed: ${fn.reason}`);
    } else if (fn.outcome === 'delegates') {
      lines.push(`  ${fn.name}: calls ${fn.to}`);
    } else {
      const sites = fn.sites.map(
        (site) => `${site.address} ${site.instruction}${site.hash ? ' (hash known)' : ''}`,
      );
      lines.push(`  ${fn.name}: ${sites.join('; ')}`);
    }
  }
  lines.push('', `${callSites.length} call sites`);
  const rows = callSites.map((site) => {
    const into = site.inlinedInto.length > 0 ? ` inlined into ${site.inlinedInto.join(', ')}` : '';
    return [site.variant, `${site.file}:${site.line} ${site.function}${into}`];
  });
  lines.push(...plainTable(rows).map((line) => `  ${line}`));
  return textOf(lines);
}
