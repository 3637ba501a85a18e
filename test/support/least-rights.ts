/* The rights that manifests give mapscope, and no other: what tests run it under. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAPABILITIES } from '../../src/base/capabilities.ts';
import { SYSTEM_CALLS } from '../../tools/kubernetes/seccomp.ts';
import type { Owner } from './service.ts';

const NOBODY = 65534;
/** Lets it read its own files, wherever a checkout lies. An image's are everybody's. */
const OWN_FILES = 'dac_read_search';

export interface Rights {
  /** A capability that it has not. */
  readonly without?: string;
  /** A system call that it may not make. */
  readonly withoutCall?: string;
}

/** Words that run what follows as a user who is nobody, with the capabilities and system calls of the manifests, and no way to more. */
export function leastRights(owner: Owner, { without, withoutCall }: Rights = {}): string[] {
  const names = CAPABILITIES.map(({ name }) => name).filter((name) => name !== without);
  const list = ['-all', ...[...names, OWN_FILES].map((name) => `+${name.toLowerCase()}`)].join(',');
  return [
    ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs'],
    ...[`--inh-caps=${list}`, `--ambient-caps=${list}`, `--bounding-set=${list}`],
    ...[filterProgram(owner), ...allowedCalls(withoutCall).map(String), '--'],
  ];
}

function filterProgram(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-seccomp-'));
  owner.after(async () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const program = join(folder, 'seccomp');
  execFileSync('cc', ['-Wall', '-Werror', '-o', program, join(import.meta.dirname, 'fixtures/seccomp.c')]);
  return program;
}

/** Where the compiler finds the numbers, by Debian's and by other layouts. */
const HEADERS = ['/usr/include/x86_64-linux-gnu/asm/unistd_64.h', '/usr/include/asm/unistd_64.h'];

/** @throws Error for a name that the kernel's headers do not know */
function allowedCalls(withoutCall: string | undefined): number[] {
  const numbers = new Map(
    [...header().matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name = '', number]) => [
      name,
      Number(number),
    ]),
  );
  const names = SYSTEM_CALLS.flatMap(({ calls }) => calls).filter((name) => name !== withoutCall);
  return names.map((name) => {
    const number = numbers.get(name);
    if (number === undefined) {
      throw new Error(`there is no system call ${name}`);
    }
    return number;
  });
}

function header(): string {
  for (const path of HEADERS) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // The next one.
    }
  }
  throw new Error('the numbers of system calls are not known: install linux-libc-dev');
}
