/* Commands written in Go, built once through Go's module proxy and kept in the user's cache. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from '../../tools/package/run.ts';

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mapscope', 'commands');

/** What judges manifests: the package, its version, and the toolchain that builds it. */
const COMMANDS = {
  kubeconform: { path: 'github.com/yannh/kubeconform/cmd/kubeconform', version: 'v0.8.0' },
  kustomize: { path: 'sigs.k8s.io/kustomize/kustomize/v5', version: 'v5.6.0' },
  helm: { path: 'helm.sh/helm/v4/cmd/helm', version: 'v4.3.1' },
} as const;

/** Builds with the newest Go that the tests use: each of them wants at least what it was written with. */
const TOOLCHAIN = 'go1.27.4';

/** The path of a command. The first call of `helm` takes minutes. */
export async function goCommand(name: keyof typeof COMMANDS): Promise<string> {
  const { path, version } = COMMANDS[name];
  const kept = join(CACHE, `${name}-${version}`);
  if (existsSync(kept)) {
    return kept;
  }
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'building-'));
  try {
    await run('go', ['install', `${path}@${version}`], {
      env: { GOBIN: work, GOTOOLCHAIN: TOOLCHAIN, GOFLAGS: '-buildvcs=false', CGO_ENABLED: '0' },
    });
    const made = basename(path.replace(/\/v\d+$/, ''));
    await rename(join(work, made), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}

/** The folder of a module's sources. */
export async function goModule(module: string, version: string): Promise<string> {
  const said = await run('go', ['mod', 'download', '-json', `${module}@${version}`], {
    env: { GOFLAGS: '-mod=mod', GOTOOLCHAIN: TOOLCHAIN },
  });
  return JSON.parse(said).Dir;
}
