import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * A copy of a program in an overlay file system, whose file is still below: when its mode changes, the file system copies it up,
 * and breakpoints no longer reach a process that runs it already.
 *
 * @returns its path
 */
export function inOverlay(context: TestContext, program: string, name = 'service'): string {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-overlay-'));
  const [lower = '', upper = '', work = '', merged = ''] = ['lower', 'upper', 'work', 'merged'].map((part) =>
    join(folder, part),
  );
  // Its own file system: what /tmp is on may not be fit for an overlay.
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
  for (const path of [lower, upper, work, merged]) {
    mkdirSync(path);
  }
  copyFileSync(program, join(lower, name));
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
  context.after(() => {
    execFileSync('umount', ['-l', merged]);
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  return join(merged, name);
}
