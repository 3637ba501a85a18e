import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DebugInfo, type DwarfStructure } from '../../src/gobinary/dwarf/info.ts';
import { readDebugSection } from '../../src/gobinary/dwarf/sections.ts';
import { readElf } from '../../src/gobinary/file/elf.ts';
import { fileInMemory, withFile } from '../../src/gobinary/file/file.ts';
import { type GoBinary, openGoBinary } from '../../src/gobinary/index.ts';
import { readGoBinary } from '../../src/gobinary/open.ts';
import { isEmulated } from '../../src/plan/code/emulated.ts';
import { planTraceSites, type TraceSourceName, type TraceSourcePlan } from '../../src/plan/traces/plan.ts';
import type { TraceSite } from '../../src/plan/traces/site.ts';
import { buildGo } from '../support/go-toolchains.ts';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const SHOP = folder('../services/shop');
/** programs/calls with the oldest versions of the libraries that are looked after, and with the newest ones there are. */
export const CALLS = folder('programs/calls');
export const NEWEST = ['-modfile=newest.mod'];
export const LOOKUPS = folder('../services/lookups');

export const STRIPPED = ['-ldflags=-s -w'];
export const PIE = ['-buildmode=pie'];
export const UNOPTIMISED = ['-gcflags=all=-N -l'];

export async function open(dir: string, version: string, flags: readonly string[] = []): Promise<GoBinary> {
  return openGoBinary(await buildGo({ dir, version, flags }));
}

type Plan<S> = Extract<TraceSourcePlan, { source: S }>;

export function planOf<S extends TraceSourceName>(binary: GoBinary, source: S): Plan<S> {
  const [plan, another] = planTraceSites(binary).filter((one): one is Plan<S> => one.source === source);
  assert.ok(plan !== undefined && another === undefined);
  return plan;
}

type Followed<S> = Extract<Plan<S>, { outcome: 'followed' }>;

/** The plan of a source that must be followed, its sites checked. */
export function followed<S extends TraceSourceName>(binary: GoBinary, source: S): Followed<S> {
  const plan = planOf(binary, source);
  assert.equal(plan.outcome, 'followed', 'reason' in plan ? plan.reason : plan.outcome);
  const { sites } = plan as { sites: readonly TraceSite[] };
  for (const site of sites) {
    checkSite(binary, site);
  }
  return plan as Followed<S>;
}

/** The site's bytes are in the file where it says, are one emulated instruction, and are code of the function it names. */
function checkSite(binary: GoBinary, { address, fileOffset, bytes, function: name }: TraceSite): void {
  const instruction = { bytes } as Parameters<typeof isEmulated>[0];
  assert.ok(isEmulated(instruction));
  const file = readFileSync(binary.path);
  assert.deepEqual(Buffer.from(bytes), file.subarray(fileOffset, fileOffset + bytes.length));
  assert.equal(binary.functionAt(address)?.name, name);
}

/** Each event with its function and registers, as text. */
export function described(sites: readonly TraceSite[]): string[] {
  return sites.map(({ event, function: name, registers, repeats }) => {
    const held = Object.entries(registers).map(([value, register]) => ` ${value}=${register}`);
    return `${event} ${name}${held.join('')}${repeats ? ' repeats' : ''}`;
  });
}

/** A structure as the debug information of a program describes it. */
export function dwarfStructure(binary: GoBinary, name: string): DwarfStructure {
  const found = withFile(binary.path, (file) => {
    const elf = readElf(file);
    const [info, abbrev] = ['info', 'abbrev'].map((section) =>
      readDebugSection(file, elf, section, Number.MAX_SAFE_INTEGER),
    );
    assert.ok(info && abbrev);
    return new DebugInfo(info.bytes, abbrev.bytes).structure(name);
  });
  assert.ok(found, name);
  return found;
}

/** The offset of a member of a structure, or of a member of its member: [structure, member], [its structure, member], ... */
export function dwarfOffset(binary: GoBinary, ...path: readonly (readonly [string, string])[]): number {
  return path.reduce((sum, [structure, member]) => {
    const offset = dwarfStructure(binary, structure).members.get(member);
    assert.ok(offset !== undefined, `${structure}.${member}`);
    return sum + offset;
  }, 0);
}

/** Published programs: tsc, and esbuild of three Go versions. */
export const BUNDLERS: readonly string[] = [
  '@typescript/typescript-linux-x64/lib/tsc',
  'esbuild-go1.22/bin/esbuild',
  'esbuild-go1.23/bin/esbuild',
  'esbuild-go1.26/bin/esbuild',
].map((path) => folder(`../../node_modules/${path}`));

/** Bytes in a function's code, and what to put there; `at` counts from its entry. */
export interface Edit {
  readonly at: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The same program with other bytes in the code of a function. */
export function changed(binary: GoBinary, name: string, ...edits: readonly Edit[]): GoBinary {
  const [fn] = binary.functionsNamed(name);
  const bytes = readFileSync(binary.path);
  for (const { at, from, to } of edits) {
    const offset = binary.fileOffset((fn?.entry ?? 0) + at);
    assert.ok(offset !== undefined);
    assert.deepEqual([...bytes.subarray(offset, offset + from.length)], from);
    bytes.set(to, offset);
  }
  return readGoBinary(fileInMemory(binary.path, bytes));
}
