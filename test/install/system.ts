/* Commands of Debian that the tests of the packages need, installed when they are missing. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../tools/package/run.ts';

/** The path of a command, after installing the package that has it. Needs root only when it is missing. */
export async function debianCommand(name: string, packageName = name): Promise<string> {
  const found = find(name);
  if (found !== undefined) {
    return found;
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // A failing update may concern a source that is not needed: the installation decides.
  spawnSync('apt-get', ['update'], { stdio: 'ignore' });
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  await run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', packageName], { env });
  const installed = find(name);
  if (installed === undefined) {
    throw new Error(`Debian's package ${packageName} has no command ${name}`);
  }
  return installed;
}

function find(name: string): string | undefined {
  // Debian puts some where only root's PATH looks.
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
