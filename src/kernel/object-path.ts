import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, UserError } from '../base/errors.ts';

/** Path of a compiled BPF object. Holds for the sources and for the bundle in build/cli alike. */
export function objectPath(name: string): string {
  const path = fileURLToPath(new URL(`../../build/bpf/${name}.bpf.o`, import.meta.url));
  if (existsSync(path)) {
    return path;
  }
  throw new UserError(`The BPF object ${path} has not been built: run npm run setup.`, EXIT.cannotObserve);
}
