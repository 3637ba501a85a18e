/* What booting needs of the system: Debian's packages, installed where that is possible without asking anyone. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';

const COMMANDS = {
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  mke2fs: 'e2fsprogs',
  xz: 'xz-utils',
};

const hasCommand = (name: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((folder) =>
    existsSync(join(folder, name)),
  );

/** @throws Error that says what to run when it may not install */
export async function prepareEmulator(): Promise<void> {
  const missing = Object.entries(COMMANDS).flatMap(([name, from]) => (hasCommand(name) ? [] : [from]));
  if (missing.length === 0) {
    return;
  }
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  if (process.getuid?.() !== 0) {
    throw new Error(`this needs more packages: run: sudo apt-get ${install.join(' ')}`);
  }
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'update']);
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...install]);
}
