/* What mapscope may leave behind, when it ends in whatever way: nothing in its targets, nothing in the kernel. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { mappings } from '../../src/target/process.ts';

/**
 * How many bytes of a process's program code are not those of its file: a breakpoint is one. The code of Go programs is never changed
 * by anybody else.
 */
export function changedBytes(pid: number): number {
  const [memory, file] = [openSync(`/proc/${pid}/mem`, 'r'), openSync(`/proc/${pid}/exe`, 'r')];
  try {
    const own = mappings(pid).filter(({ executable, inode }) => executable && inode !== 0);
    let changed = 0;
    for (const { start, end, fileOffset } of own) {
      const [seen, written] = [Buffer.alloc(end - start), Buffer.alloc(end - start)];
      readSync(memory, seen, 0, seen.length, start);
      readSync(file, written, 0, written.length, fileOffset);
      for (let i = 0; i < seen.length; i++) {
        changed += Number(seen[i] !== written[i]);
      }
    }
    return changed;
  } finally {
    closeSync(memory);
    closeSync(file);
  }
}

/** Objects of the kernel's, by their kind and id, which are given to no other for a long time. */
export type KernelObjects = ReadonlySet<string>;

const KINDS = ['prog', 'map', 'link'] as const;

/** Those that a process has descriptors of. */
export function objectsOf(pid: number): KernelObjects {
  const found = new Set<string>();
  for (const fd of listed(`/proc/${pid}/fdinfo`)) {
    const text = textOf(`/proc/${pid}/fdinfo/${fd}`);
    for (const kind of KINDS) {
      const id = new RegExp(`^${kind}_id:\\s+(\\d+)$`, 'm').exec(text)?.[1];
      if (id !== undefined) {
        found.add(`${kind} ${id}`);
      }
    }
  }
  return found;
}

/** Which of them there still are. */
export function thoseLeft(objects: KernelObjects): string[] {
  return [...objects].filter((object) => {
    const [kind = '', id = ''] = object.split(' ');
    try {
      execFileSync('bpftool', [kind, 'show', 'id', id], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // It has ended.
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has been closed.
  }
}
