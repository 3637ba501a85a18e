import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGo } from '../support/go-toolchains.ts';

const SOURCES = fileURLToPath(new URL('../services/types', import.meta.url));

/** Builds test/services/types with so many map types that the linker writes. */
export async function buildTypesService(linked: number): Promise<string> {
  const dir = join(tmpdir(), 'mapscope-bench', `types-${linked}`);
  mkdirSync(dir, { recursive: true });
  cpSync(SOURCES, dir, { recursive: true });
  const names = Array.from({ length: linked }, (_, i) => `key${i}`);
  const declared = names.map((name) => `type ${name} int\n`).join('');
  const list = names.map((name) => `map[${name}]int(nil),\n`).join('');
  writeFileSync(join(dir, 'types.go'), `package main\n\n${declared}\nvar types = [...]any{\n${list}}\n`);
  return buildGo({ dir, version: 'local' });
}

/** A running service that makes lookups in maps of so many types, and ends with this process at the latest. */
export async function startTypesService(
  path: string,
  types: { readonly linked: number; readonly made?: number; readonly share?: number },
): Promise<ChildProcess> {
  const { linked, made = 0, share = 0.5 } = types;
  const args = ['-linked', String(linked), '-made', String(made), '-share', String(share)];
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
