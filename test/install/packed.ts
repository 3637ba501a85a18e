/* The packages, made once for whatever sources they are made of. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packAll } from '../../tools/package/package.ts';
import { MANIFEST, PRODUCTS, ROOT } from '../../tools/package/product.ts';
import { debianCommand } from './system.ts';

/** What `npm run package` leaves. */
export interface Packed {
  /** The tarball for npm. */
  readonly npm: string;
  /** The single executable. */
  readonly oneFile: string;
  /** The image's root file system, and its archive. */
  readonly root: string;
  readonly image: string;
  readonly addon: string;
  readonly bill: string;
}

/** Everything that decides what is packed. */
const SOURCES = [
  'build/{cli,bpf}/*',
  'build/packages/**/*.js',
  'build/Release/mapscope.node',
  'native/**/*.{cc,h}',
  'src/cli/*',
  'tools/package/*',
  ...['package.json', 'package-lock.json', 'binding.gyp', 'README.md', 'docs/**/*.md', 'otel-config/**/*.*'],
];

/** The packages of this checkout. The first call takes minutes. */
export async function packed(): Promise<Packed> {
  const stamp = join(PRODUCTS, 'stamp');
  const hash = sourcesHash();
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
    await debianCommand('dpkg-source', 'dpkg-dev');
    await packAll(PRODUCTS);
    writeFileSync(stamp, hash);
  }
  const { version } = MANIFEST;
  return {
    npm: join(PRODUCTS, `mapscope-${version}.tgz`),
    oneFile: join(PRODUCTS, 'mapscope-linux-x64'),
    root: join(PRODUCTS, 'root'),
    image: join(PRODUCTS, `mapscope-${version}-image.tar`),
    addon: join(PRODUCTS, 'addon/build/Release/mapscope.node'),
    bill: join(PRODUCTS, 'mapscope.cdx.json'),
  };
}

function sourcesHash(): string {
  const hash = createHash('sha256');
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: ROOT, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) {
    hash.update(`\n${file}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}
