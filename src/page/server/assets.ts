import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, UserError } from '../../base/errors.ts';

/** What the page is made of, as set-up has built it. */
export interface Assets {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

/** @throws UserError when it has not been built */
export function readAssets(): Assets {
  return { html: read('index.html'), script: read('main.js'), style: read('style.css') };
}

/** Holds for the sources and for the bundle in build/cli alike. */
function read(name: string): string {
  const found = ['../../build/page/', '../../../build/page/']
    .map((folder) => fileURLToPath(new URL(folder + name, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined) {
    throw new UserError(`The page's ${name} has not been built: run npm run setup.`, EXIT.cannotObserve);
  }
  return readFileSync(found, 'utf8');
}
