// The names of all that the BPF programs share with user space, for the type checker: build/bpf/records.bpf.o ->
// build/record-names.ts. Only names: places and values are read from the object when the program runs.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError } from './commands.mjs';
import { fingerprint, stampIs, writeStamp } from './fingerprint.mjs';

const object = (checkout) => join(checkout, 'build', 'bpf', 'records.bpf.o');
const namesFile = (checkout) => join(checkout, 'build', 'record-names.ts');
const writer = (checkout) => join(checkout, 'tools', 'setup', 'write-record-names.mjs');

const hashOf = (checkout) => fingerprint(checkout, [object(checkout), writer(checkout)]);

export const recordNames = {
  title: 'naming the records',
  needsSystemPackages: true,

  isCurrent(checkout) {
    if (!existsSync(join(checkout, 'bpf', 'records.bpf.c'))) {
      return true;
    }
    const isThere = [object(checkout), namesFile(checkout)].every(existsSync);
    return isThere && stampIs(`${namesFile(checkout)}.stamp`, hashOf(checkout));
  },

  /** With the project's own Node, which the addon was built for. */
  async make(checkout) {
    const node = join(checkout, 'node_modules', '.bin', 'node');
    const result = await run(node, [writer(checkout), object(checkout), namesFile(checkout)], {
      cwd: checkout,
    });
    if (!result.ok) {
      throw new SetupError(`the names of the records were not written: node ${result.ended}`, {
        output: result.output,
      });
    }
    writeStamp(`${namesFile(checkout)}.stamp`, hashOf(checkout));
  },
};
