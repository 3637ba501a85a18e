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
  if (folder !== undefined) {
    rmSync(folder, { recursive: true, force: true });
  }
  folder = undefined;
}

/** Offset and size of a section, from binutils-independent truth: the section header table of the file itself. */
export function section(file: Buffer, name: string): { header: number; offset: number; size: number } {
  const table = Number(file.readBigUInt64LE(40));
  const names = table + 64 * file.readUInt16LE(62);
  const strings = Number(file.readBigUInt64LE(names + 24));
  for (let i = 0; i < file.readUInt16LE(60); i++) {
    const header = table + 64 * i;
    const at = strings + file.readUInt32LE(header);
    if (file.toString('latin1', at, file.indexOf(0, at)) !== name) {
      continue;
    }
    const offset = Number(file.readBigUInt64LE(header + 24));
    return { header, offset, size: Number(file.readBigUInt64LE(header + 32)) };
  }
  throw new Error(`no section ${name}`);
}
