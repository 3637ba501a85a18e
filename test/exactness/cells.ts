import { fileURLToPath } from 'node:url';
import { ALL_VERSIONS, buildGo } from '../support/go-toolchains.ts';

/** One combination of Go release and build flags that the oracle is built with. */
export interface Cell {
  readonly version: string;
  readonly flavor: Flavor;
}

export type Flavor = keyof typeof FLAVORS;

const FLAVORS = {
  default: { flags: [] },
  stripped: { flags: ['-ldflags=-s -w'] },
  pie: { flags: ['-buildmode=pie'] },
  'pie, stripped': { flags: ['-buildmode=pie', '-ldflags=-s -w'] },
  'no optimisation': { flags: ['-gcflags=all=-N -l'] },
  spectre: { flags: ['-gcflags=all=-spectre=all'] },
  race: { flags: ['-race'] },
  noswissmap: { flags: [], env: { GOEXPERIMENT: 'noswissmap' } },
} as const;

/** Go 1.24 and 1.25 could still be built with classic maps. */
const WITH_NOSWISSMAP = /^1\.2[45]\./;

/** Every cell of the matrix. */
export function allCells(): Cell[] {
  const flavors = Object.keys(FLAVORS) as Flavor[];
  return ALL_VERSIONS.flatMap((version) =>
    flavors
      .filter((flavor) => flavor !== 'noswissmap' || WITH_NOSWISSMAP.test(version))
      .map((flavor) => ({ version, flavor })),
  );
}

/** Builds the oracle for a cell; the result is cached. */
export function buildOracle({ version, flavor }: Cell): Promise<string> {
  const { flags, ...rest } = FLAVORS[flavor];
  const dir = fileURLToPath(new URL('../services/oracle', import.meta.url));
  return buildGo({ dir, version, flags, ...rest });
}
