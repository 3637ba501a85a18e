import { execFileSync } from 'node:child_process';
import type { EqualStep } from '../../src/gobinary/index.ts';
import { type BuildOptions, build, toolchains } from './build.ts';

/** What programs/facts prints. Addresses are live ones. */
export interface Facts {
  version: string;
  main: number;
  maps: MapFact[];
  linkedMaps: MapFact[];
  made: MapFact[];
  types: TypeFact[];
  stacks: { Frames: FrameFact[]; Words: string[] }[];
  pairs: { Type: number; A: string; B: string; Equal: boolean }[];
}
export interface SlotFact {
  KeysOffset: number;
  KeyStride: number;
  ElemsOffset: number;
  ElemStride: number;
  GroupSize: number;
}
export interface MapFact {
  Address: number;
  KeyAddress: number;
  ElemAddress: number;
  Name: string;
  Key: string;
  Elem: string;
  KeySize: number;
  Named: boolean;
  Slots: Record<'classic' | 'interleaved' | 'split', SlotFact>;
  Steps: EqualStep[] | null;
}
export interface TypeFact {
  Address: number;
  Name: string;
  Size: number;
  Direct: boolean;
  Steps: EqualStep[] | null;
}
export interface FrameFact {
  Function: string;
  File: string;
  Line: number;
  PC: number;
  Inlined: boolean;
}

/** A way to build the program, and what should be found in it. */
export interface Variant {
  name: string;
  minor: number;
  options: Omit<BuildOptions, 'program'>;
  slots: 'classic' | 'interleaved' | 'split';
  pie: boolean;
  stripped: boolean;
}

function variant(minor: number, kind: string, flags: string[], env: Record<string, string> = {}): Variant {
  const toolchain = toolchains.get(minor) ?? 'local';
  const experiment = env.GOEXPERIMENT;
  const swiss = experiment === 'mapsplitgroup' ? 'split' : 'interleaved';
  return {
    name: `Go 1.${minor} ${kind}`,
    minor,
    options: { toolchain, flags, env },
    slots: minor < 24 || experiment === 'noswissmap' ? 'classic' : swiss,
    pie: flags.includes('-buildmode=pie'),
    stripped: flags.some((flag) => flag.includes('-s -w')),
  };
}

const pie = '-buildmode=pie';
const strip = '-ldflags=-s -w';

/** Every version plainly built, and the ways to link that change what the reader sees. */
export const variants: readonly Variant[] = [
  ...[...toolchains.keys()].map((minor) => variant(minor, 'static', [])),
  ...[17, 20, 23, 24, 26, 27].map((minor) => variant(minor, 'PIE', [pie])),
  ...[17, 23, 27].map((minor) => variant(minor, 'stripped', [strip])),
  ...[18, 25, 26].map((minor) => variant(minor, 'stripped PIE', [pie, strip])),
  ...[17, 21, 26, 27].map((minor) =>
    variant(minor, 'externally linked PIE', [pie, '-ldflags=-linkmode=external']),
  ),
  variant(22, 'externally linked', ['-ldflags=-linkmode=external']),
  variant(23, 'without inlining', ['-gcflags=all=-N -l']),
  variant(24, 'with classic maps', [], { GOEXPERIMENT: 'noswissmap' }),
  variant(25, 'with classic maps', [], { GOEXPERIMENT: 'noswissmap' }),
  variant(27, 'with split groups', [], { GOEXPERIMENT: 'mapsplitgroup' }),
];

export function buildVariant({ options }: Variant): string {
  return build({ program: 'facts', ...options });
}

/** Runs the program to its end and returns what it printed. */
export function runFacts(path: string): Facts {
  return JSON.parse(execFileSync(path, { encoding: 'utf8', input: '', maxBuffer: 1 << 28 }));
}
