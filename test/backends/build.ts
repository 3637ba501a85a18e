import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program of somebody else's Go module. */
export interface Program {
  /** The binary's name, and that of the folder here whose go.mod and go.sum pin the module and all that it needs. */
  readonly name: string;
  /** Import path of the main package. */
  readonly package: string;
  /** Build tags. */
  readonly tags?: readonly string[];
}

/**
 * Path of the program, built through the Go module proxy. `go install module@version` would not do: it refuses modules
 * whose go.mod has replacements, and takes no go.sum. So the program is a tool of a small module of ours.
 *
 * The first call takes minutes; the binary is kept in the user's cache until a pinned version changes. Needs `go`.
 */
export async function programBinary(program: Program): Promise<string> {
  const folder = fileURLToPath(new URL(program.name, import.meta.url));
  const flags = ['-trimpath', '-ldflags=-s -w', `-tags=${(program.tags ?? []).join()}`];
  const hash = createHash('sha256').update(JSON.stringify([program.package, flags]));
  for (const file of ['go.mod', 'go.sum']) {
    hash.update(await readFile(join(folder, file)));
  }
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mapscope');
  const binary = join(cache, `${program.name}-${hash.digest('hex').slice(0, 16)}`, program.name);
  if (existsSync(binary)) {
    return binary;
  }

  await mkdir(dirname(binary), { recursive: true });
  // Beside its place, so that it can be moved there in one step: an interrupted build leaves no half binary.
  const work = await mkdtemp(join(dirname(binary), 'building-'));
  try {
    const made = join(work, program.name);
    await run('go', ['build', ...flags, '-o', made, program.package], {
      cwd: folder,
      // `auto`: should the installed go be older than go.mod asks for, it gets itself a newer one.
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOTOOLCHAIN: 'auto', GOWORK: 'off' },
      maxBuffer: 16 * 1024 * 1024,
    });
    await rename(made, binary);
  } finally {
    await rm(work, { recursive: true });
  }
  return binary;
}
