import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** One toolchain for each supported minor version. */
export const toolchains: ReadonlyMap<number, string> = new Map([
  [17, 'go1.17.13'],
  [18, 'go1.18.10'],
  [19, 'go1.19.13'],
  [20, 'go1.20.14'],
  [21, 'go1.21.13'],
  [22, 'go1.22.12'],
  [23, 'go1.23.12'],
  [24, 'go1.24.13'],
  [25, 'go1.25.9'],
  [26, 'local'],
  [27, 'go1.27.4'],
]);

export interface BuildOptions {
  /** Folder under programs/. */
  program: 'facts' | 'structs' | 'seed';
  /** Value of GOTOOLCHAIN. */
  toolchain: string;
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

const cacheFolder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'mapscope',
  'test-binaries',
);

/** Builds a program, or takes it from the cache, which is keyed by everything that goes into it. Returns its path. */
export function build({ program, toolchain, flags = [], env = {} }: BuildOptions): string {
  const folder = join(import.meta.dirname, 'programs', program);
  const files = readdirSync(folder).filter((file) => toolchain !== 'go1.17.13' || file !== 'generic.go');
  const settings = { GOENV: 'off', GOFLAGS: '', GOTOOLCHAIN: toolchain, ...env };
  const version = toolchain === 'local' ? localVersion() : toolchain;
  const hash = createHash('sha256').update(JSON.stringify([version, flags, settings, files]));
  for (const file of files) {
    hash.update(readFileSync(join(folder, file)));
  }
  const output = join(cacheFolder, `${program}-${version}-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(output)) {
    mkdirSync(cacheFolder, { recursive: true });
    const unfinished = `${output}.${process.pid}`;
    execFileSync('go', ['build', ...flags, '-o', unfinished, ...files], {
      cwd: folder,
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    renameSync(unfinished, output);
  }
  return output;
}

function localVersion(): string {
  return execFileSync('go', ['env', 'GOVERSION'], {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  }).trim();
}
