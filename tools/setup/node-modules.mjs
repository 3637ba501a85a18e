// The npm packages named by package-lock.json.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError } from './commands.mjs';
import { fingerprint, stampIs, writeStamp } from './fingerprint.mjs';

const lockFile = (checkout) => join(checkout, 'package-lock.json');
const stampFile = (checkout) => join(checkout, 'node_modules', '.mapscope-stamp');
const lockHash = (checkout) => fingerprint(checkout, [lockFile(checkout)]);

const readPackages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/** npm's own account of node_modules; undefined while there is none, or while another npm is writing it. */
function readInstalled(checkout) {
  const hidden = join(checkout, 'node_modules', '.package-lock.json');
  try {
    return existsSync(hidden) ? readPackages(hidden) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** Whether node_modules, as npm itself describes it, is exactly what the lock file asks for. */
function installedAsLocked(checkout) {
  const installed = readInstalled(checkout);
  if (installed === undefined) {
    return false;
  }
  const { '': _self, ...locked } = readPackages(lockFile(checkout));
  const asLocked = ([path, present]) =>
    present.version === locked[path]?.version && present.integrity === locked[path]?.integrity;
  const presentOrOptional = ([path, wanted]) => path in installed || wanted.optional === true;
  return Object.entries(installed).every(asLocked) && Object.entries(locked).every(presentOrOptional);
}

// Not `npm ci`: it refuses a lock file that was made where a registry lacks the variants of a package for other
// platforms. Without saving, `npm install` follows the lock file too, and what it installed is compared afterwards.
// No install scripts: the native addon is built by a step of its own, and no dependency needs one.
const INSTALL = [
  'install',
  '--no-save',
  '--include=dev',
  '--include=optional',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
];

export const nodeModules = {
  title: 'installing npm packages',
  needsSystemPackages: false,

  isCurrent(checkout) {
    if (stampIs(stampFile(checkout), lockHash(checkout))) {
      return true;
    }
    if (!installedAsLocked(checkout)) {
      return false;
    }
    writeStamp(stampFile(checkout), lockHash(checkout));
    return true;
  },

  async make(checkout) {
    const hash = lockHash(checkout);
    const result = await run('npm', INSTALL, { cwd: checkout });
    if (!result.ok) {
      throw new SetupError(`npm install ${result.ended}`, { output: result.output });
    }
    if (!installedAsLocked(checkout)) {
      throw new SetupError('npm installed other packages than package-lock.json names: bring it up to date', {
        output: result.output,
      });
    }
    writeStamp(stampFile(checkout), hash);
  },
};
