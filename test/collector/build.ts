import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.159.0';
const MANIFEST = fileURLToPath(new URL('../../otel-config/collector-builder.yaml', import.meta.url));

/**
 * Path of a real OpenTelemetry Collector, built from otel-config/collector-builder.yaml through the Go module proxy. The
 * first call takes minutes; the binary is kept in the user's cache until the manifest changes. Needs `go`.
 */
export async function collectorBinary(): Promise<string> {
  const manifest = await readFile(MANIFEST);
  const hash = createHash('sha256').update(BUILDER).update(manifest).digest('hex').slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mapscope');
  const binary = join(cache, `collector-${hash}`, 'otelcol');
  if (existsSync(binary)) {
    return binary;
  }
  await mkdir(cache, { recursive: true });
  // Beside its place in the cache, so that it can be moved there in one step: an interrupted build leaves no half binary.
  const work = await mkdtemp(join(cache, 'building-'));
  try {
    await copyFile(MANIFEST, join(work, 'manifest.yaml'));
    await run(work, 'go', ['run', BUILDER, '--config', 'manifest.yaml']);
    await mkdir(dirname(binary), { recursive: true });
    await rename(join(work, 'otelcol', 'otelcol'), binary);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

/** Runs a command to its end; an error tells the last lines it wrote. */
export async function run(cwd: string, command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, GOFLAGS: '-buildvcs=false' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [output, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (status !== 0) {
    const end = output.trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${command} ${args.join(' ')} ended with status ${status}:\n${end}`);
  }
}
