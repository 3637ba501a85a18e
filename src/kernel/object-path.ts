import { existsSync, readFileSync } from 'node:fs';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { EXIT, UserError } from '../base/errors.ts';
import { addon } from './addon.ts';

/** Path of a compiled BPF object. Holds for the sources and for the bundle in build/cli alike. */
export function objectPath(name: string): string {
  const path = fileURLToPath(new URL(`../../build/bpf/${name}.bpf.o`, import.meta.url));
  if (!existsSync(path)) {
    throw new UserError(`The BPF object ${path} has not been built: run npm run setup.`, EXIT.cannotObserve);
  }
  // What a single executable carries only Node can read, by patching its own functions.
  return isSea() ? addon.memoryFile(`${name}.bpf.o`, readFileSync(path)) : path;
}
