import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Mounts a BPF file system of the test's own, and takes it away when the test is over. /sys/fs/bpf is not mounted on every
 * machine, and without a mount no folder can be made there: mkdir below it fails, `recursive` or not, or tries for ever.
 *
 * @returns its path
 */
export function mountBpfFileSystem(context: { after(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-bpffs-'));
  execFileSync('mount', ['-t', 'bpf', 'bpf', folder]);
  context.after(() => {
    // What is pinned there goes with it.
    execFileSync('umount', [folder]);
    rmdirSync(folder);
  });
  return folder;
}
