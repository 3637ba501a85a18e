/*
 * Makes a release: npm run release. Refuses what is not fit to be one, packs twice, in two places, and compares, byte by byte. Nothing
 * is published; what is left to do is printed.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packAll } from './package.ts';
import { MANIFEST, PRODUCTS, ROOT } from './product.ts';
import { run } from './run.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** What keeps this checkout from being released; sentences. */
async function objections(): Promise<string[]> {
  const changed = (await run('git', ['status', '--porcelain'], { cwd: ROOT })).trim();
  const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  return [
    ...(changed === '' ? [] : [`There are changes that are not committed:\n${changed}`]),
    ...(changelog.includes(`\n## [${MANIFEST.version}]`)
      ? []
      : [`CHANGELOG.md has no section for ${MANIFEST.version}.`]),
  ];
}

async function sums(folder: string): Promise<string> {
  return await readFile(join(folder, 'SHA256SUMS'), 'utf8');
}

const reasons = process.argv.includes('--rehearse') ? [] : await objections();
if (reasons.length > 0) {
  throw new Error(`This is no release. ${reasons.join('\n')}`);
}
const again = join(ROOT, 'build/package-again');
await rm(PRODUCTS, { recursive: true, force: true });
await packAll(PRODUCTS);
await packAll(again);
const [first, second] = [await sums(PRODUCTS), await sums(again)];
if (first !== second) {
  throw new Error(`Packing twice gave different bytes:\n${first}\n${second}`);
}
await rm(again, { recursive: true });
say(`Packed twice, the same bytes each time, in ${PRODUCTS}:\n\n${first}`);
say(`To publish:
  git tag -s v${MANIFEST.version} && git push origin v${MANIFEST.version}
  npm publish --provenance ${join(PRODUCTS, `mapscope-${MANIFEST.version}.tgz`)}
  skopeo copy oci-archive:${join(PRODUCTS, `mapscope-${MANIFEST.version}-image.tar`)} docker://REGISTRY/mapscope:${MANIFEST.version}`);
