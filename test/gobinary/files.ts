import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;
let count = 0;

/** A path in a folder that `removeTemporaryFiles` deletes. */
export function temporaryPath(name: string): string {
  folder ??= mkdtempSync(join(tmpdir(), 'mapscope-gobinary-'));
  return join(folder, name);
}

/** Writes bytes, or a copy of a file changed by `edit` (in place, or by the buffer it returns); returns the path. */
export function temporaryFile(source: Buffer | string, edit?: (file: Buffer) => unknown): string {
  const bytes = typeof source === 'string' ? readFileSync(source) : source;
  const path = temporaryPath(`file-${count++}`);
  const edited = edit?.(bytes);
  writeFileSync(path, Buffer.isBuffer(edited) ? edited : bytes);
  return path;
}

export function removeTemporaryFiles(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}
