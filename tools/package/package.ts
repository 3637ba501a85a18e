/*
 * Makes what is installed, below build/package: the npm package, the single executable, the image's root file system and archive, and
 * the bill of materials.
 *
 *   npm run package [-- --only npm,one-file,image] [-- --into FOLDER]
 *
 * The same sources give the same bytes.
 */

import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddon } from './addon.ts';
import { makeRoot, writeImage } from './image.ts';
import { writeNotices } from './notices.ts';
import { packNpm } from './npm.ts';
import { packOneFile } from './one-file.ts';
import { PRODUCTS } from './product.ts';
import { writeBillOfMaterials } from './sbom.ts';

const PARTS = ['npm', 'one-file', 'image'] as const;
type Part = (typeof PARTS)[number];

/**
 * Makes what is asked for.
 *
 * @param products the folder for all of it
 * @returns the paths of what is published
 */
export async function packAll(products: string, parts: readonly Part[] = PARTS): Promise<string[]> {
  await mkdir(products, { recursive: true });
  const addon = await buildAddon(join(products, 'addon'));
  const notices = await writeNotices(products);
  const bill = await writeBillOfMaterials(products);
  const made = [bill, notices];
  if (parts.includes('npm')) {
    const extra = { 'THIRD-PARTY-NOTICES.txt': notices, 'mapscope.cdx.json': bill };
    made.push(await packNpm(products, addon, extra));
  }
  if (parts.includes('one-file') || parts.includes('image')) {
    const oneFile = await packOneFile(products, addon);
    made.push(oneFile);
    if (parts.includes('image')) {
      made.push(await writeImage(products, await makeRoot(products, oneFile, notices)));
    }
  }
  await rm(join(products, 'npm'), { recursive: true, force: true });
  const sums = await Promise.all(made.map(async (path) => `${await digest(path)}  ${basename(path)}\n`));
  await writeFile(join(products, 'SHA256SUMS'), sums.sort().join(''));
  return made;
}

async function digest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { only: { type: 'string' }, into: { type: 'string' } } });
  const chosen = values.only?.split(',') ?? PARTS;
  const parts = PARTS.filter((part) => chosen.includes(part));
  if (parts.length !== chosen.length) {
    throw new Error(`--only takes some of ${PARTS.join(', ')}`);
  }
  for (const path of await packAll(resolve(values.into ?? PRODUCTS), parts)) {
    process.stdout.write(`${path}\n`);
  }
}
