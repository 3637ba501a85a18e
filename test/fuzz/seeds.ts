import { build, toolchains } from '../gobinary/build.ts';
import { type Seed, type SeedOptions, shrink } from './shrink.ts';

interface SeedSpec extends SeedOptions {
  readonly name: string;
  readonly minor: number;
  readonly flags?: readonly string[];
  readonly experiment?: string;
}

const pie = ['-buildmode=pie'];

/** One for each layout of functions, types, maps and files that there is. */
const specs: readonly SeedSpec[] = [
  { name: 'go1.17', minor: 17, compression: 'zdebug' },
  { name: 'go1.18-pie', minor: 18, flags: pie },
  { name: 'go1.20', minor: 20 },
  { name: 'go1.22-bare', minor: 22, bare: true },
  { name: 'go1.23', minor: 23, compression: 'section flag' },
  { name: 'go1.24-classic', minor: 24, experiment: 'noswissmap' },
  { name: 'go1.25-pie', minor: 25, flags: pie },
  { name: 'go1.26', minor: 26 },
  { name: 'go1.27', minor: 27 },
  { name: 'go1.27-split', minor: 27, experiment: 'mapsplitgroup', compression: 'section flag' },
];

/** Builds the programs, unless they have been, and makes the fuzzer's seeds of them. */
export function makeSeeds(): Seed[] {
  return specs.map(({ name, minor, flags = [], experiment, ...options }) => {
    const path = build({
      program: 'seed',
      toolchain: toolchains.get(minor) ?? '',
      flags: ['-trimpath', ...flags],
      env: { CGO_ENABLED: '0', ...(experiment !== undefined && { GOEXPERIMENT: experiment }) },
    });
    return shrink(name, path, options);
  });
}
