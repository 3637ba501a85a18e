// The page that mapscope shows in browsers: src/page/browser and what it needs -> build/page, as one script, one style sheet and
// one document. A browser loads nothing else.

import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { esbuild } from './bundle.mjs';
import { filesBelow, fingerprint, stampIs, writeStamp } from './fingerprint.mjs';

const SOURCES = join('src', 'page', 'browser');
const ENTRIES = ['main.ts', 'style.css'].map((name) => join(SOURCES, name));
const DOCUMENT = join(SOURCES, 'index.html');

const FLAGS = [
  '--bundle',
  '--minify',
  '--format=iife',
  '--platform=browser',
  '--target=chrome120,firefox120,safari17.4',
  '--charset=utf8',
  '--legal-comments=none',
  '--log-level=error',
];

const folder = (checkout) => join(checkout, 'build', 'page');
const stampFile = (checkout) => join(folder(checkout), '.mapscope-stamp');

/** The page shares a few files of other rooms. */
function sourcesHash(checkout) {
  const shared = ['src/base', 'src/model', 'src/page/format'].flatMap((path) =>
    filesBelow(join(checkout, path)),
  );
  const own = filesBelow(join(checkout, SOURCES));
  return fingerprint(
    checkout,
    [join(checkout, 'package-lock.json'), ...shared, ...own],
    [...ENTRIES, ...FLAGS],
  );
}

export const page = {
  title: 'bundling the page',
  needsSystemPackages: false,

  isCurrent(checkout) {
    return !existsSync(join(checkout, DOCUMENT)) || stampIs(stampFile(checkout), sourcesHash(checkout));
  },

  async make(checkout) {
    const hash = sourcesHash(checkout);
    rmSync(folder(checkout), { recursive: true, force: true });
    await esbuild(checkout, [...ENTRIES, ...FLAGS, `--outdir=${folder(checkout)}`]);
    copyFileSync(join(checkout, DOCUMENT), join(folder(checkout), 'index.html'));
    writeStamp(stampFile(checkout), hash);
  },
};
