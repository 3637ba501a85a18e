import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGo } from '../support/go-toolchains.ts';

const SOURCES = fileURLToPath(new URL('../services/series', import.meta.url));

/** Two series each: hits and misses. */
const CALL_SITES = 10_000;

/** Builds test/services/series with that many functions, each with a lookup of its own. */
export async function buildSeriesService(): Promise<string> {
  const dir = join(tmpdir(), 'mapscope-bench', 'series');
  mkdirSync(dir, { recursive: true });
  cpSync(SOURCES, dir, { recursive: true });
  writeFileSync(join(dir, 'sites.go'), sitesFile(CALL_SITES));
  return buildGo({ dir, version: 'local' });
}

/** A Go file of so many functions, each with a lookup of its own, and the list of them. */
export function sitesFile(count: number): string {
  const functions = Array.from(
    { length: count },
    (_, i) => `//go:noinline\nfunc site${i}(m map[int]int, k int) int { return m[k] }\n`,
  );
  const list = functions.map((_, i) => `site${i}`).join(',');
  return `package main\n\n${functions.join('\n')}\nvar sites = []func(map[int]int, int) int{${list}}\n`;
}

/** A running service that makes lookups in so many series, and ends with this process at the latest. */
export async function startSeriesService(path: string, series: number, share: number): Promise<ChildProcess> {
  const child = spawn(path, ['-series', String(series), '-share', String(share)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}
