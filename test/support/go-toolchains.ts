// Builds Go programs with the Go releases that mapscope supports. The toolchains are Go's own toolchain modules: the
// installed go fetches them through its module proxy.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The last release of each Go version with the old maps ("classic"). */
export const CLASSIC_VERSIONS = [
  '1.17.13',
  '1.18.10',
  '1.19.13',
  '1.20.14',
  '1.21.13',
  '1.22.12',
  '1.23.12',
] as const;
/** Releases with Swiss maps; `local` is the go that is installed. */
const SWISS_VERSIONS = ['1.24.13', '1.25.9', 'local', '1.27.4'] as const;
export const ALL_VERSIONS = [...CLASSIC_VERSIONS, ...SWISS_VERSIONS] as const;

export interface GoBuild {
  /** The main package, with a go.mod of its own. */
  readonly dir: string;
  /** Another main package of the same module, such as `./cmd/load`. */
  readonly package?: string;
  /** A release such as `1.23.12`, or `local` for the go that is installed. */
  readonly version: string;
  /** Arguments of `go build`. */
  readonly flags?: readonly string[];
  /** Variables on top of those that choose the toolchain. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the toolchain to replace: absolute path to content. */
  readonly overlay?: Readonly<Record<string, string>>;
}

/** What the outer configuration decides; the builds themselves run without a configuration file. */
const KEPT_SETTINGS = [
  'GOPROXY',
  'GOSUMDB',
  'GONOPROXY',
  'GONOSUMDB',
  'GOPRIVATE',
  'GOPATH',
  'GOMODCACHE',
  'GOCACHE',
];

let settings: Promise<Readonly<Record<string, string>>> | undefined;

function outerSettings(): Promise<Readonly<Record<string, string>>> {
  settings ??= run('go', ['env', '-json', 'GOVERSION', ...KEPT_SETTINGS]).then(({ stdout }) =>
    JSON.parse(stdout),
  );
  return settings;
}

async function goEnvironment(version: string): Promise<NodeJS.ProcessEnv> {
  const { GOVERSION: _, ...kept } = await outerSettings();
  return {
    ...process.env,
    ...kept,
    GOTOOLCHAIN: version === 'local' ? 'local' : `go${version}`,
    GOENV: 'off', // The file may set what old releases do not know,
    GOFLAGS: '', // such as -buildvcs.
    GOWORK: 'off',
    GODEBUG: 'goindex=0', // Go 1.19's package index fails for a toolchain inside the module cache.
  };
}

/** The root of a toolchain's installation. */
export async function goRoot(version: string): Promise<string> {
  const { stdout } = await run('go', ['env', 'GOROOT'], { env: await goEnvironment(version) });
  return stdout.trim();
}

function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'mapscope', 'test-binaries');
}

async function buildHash(build: GoBuild): Promise<string> {
  const toolchain = build.version === 'local' ? (await outerSettings()).GOVERSION : build.version;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([toolchain, build.flags ?? [], build.env ?? {}, build.overlay ?? {}]));
  hash.update(build.package ?? '');
  const entries = await readdir(build.dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const content = await readFile(file);
    hash.update(`\n${relative(build.dir, file)}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Writes the replaced files into a folder, and the file that tells go about them. */
async function writeOverlay(folder: string, overlay: Readonly<Record<string, string>>): Promise<string> {
  const replace: Record<string, string> = {};
  for (const [index, [path, content]] of Object.entries(overlay).entries()) {
    const file = join(folder, `${index}-${basename(path)}`);
    await writeFile(file, content);
    replace[path] = file;
  }
  const list = join(folder, 'overlay.json');
  await writeFile(list, JSON.stringify({ Replace: replace }));
  return list;
}

async function buildInto(target: string, build: GoBuild): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const work = await mkdtemp(join(cacheFolder(), 'building-'));
  try {
    const made = join(work, 'binary');
    const environment = { ...(await goEnvironment(build.version)), ...build.env };
    let go = 'go';
    let overlay: string[] = [];
    if (build.overlay !== undefined) {
      overlay = [`-overlay=${await writeOverlay(work, build.overlay)}`];
      // Files in the module cache must not be replaced. The toolchain is there, but needs nothing else from there.
      const GOROOT = await goRoot(build.version);
      go = join(GOROOT, 'bin', 'go');
      Object.assign(environment, { GOROOT, GOTOOLCHAIN: 'local', GOMODCACHE: join(work, 'no-modules') });
    }
    await run(go, ['build', ...overlay, ...(build.flags ?? []), '-o', made, build.package ?? '.'], {
      cwd: build.dir,
      env: environment,
      maxBuffer: 16 * 1024 * 1024,
    });
    await rename(made, target); // Whoever else builds the same at the same time makes the same.
  } finally {
    await rm(work, { recursive: true });
  }
}

const underway = new Map<string, Promise<string>>();

/**
 * Builds a Go program, unless the same sources have been built in the same way before, and returns the binary's path.
 * Source positions in a binary are those of the checkout that built it.
 */
export async function buildGo(build: GoBuild): Promise<string> {
  const inDir = { ...build, dir: resolve(build.dir) };
  const target = join(cacheFolder(), `${basename(inDir.dir)}-${inDir.version}-${await buildHash(inDir)}`);
  if (await exists(target)) {
    return target;
  }
  const already = underway.get(target);
  if (already !== undefined) {
    return already;
  }
  const building = buildInto(target, inDir).then(() => target);
  underway.set(target, building);
  return building;
}
