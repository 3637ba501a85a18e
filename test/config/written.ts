import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** A configuration file with this text. @returns its path */
export function written(text: string): string {
  const path = join(folder, `${files++}.yaml`);
  writeFileSync(path, text);
  return path;
}
