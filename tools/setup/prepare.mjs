// Brings a bare clone to a built checkout: system packages, npm packages, native addon, BPF objects and the names in
// them, bundles of the command and of the page.
//
//   node tools/setup/prepare.mjs [--quiet]
//
// With --quiet nothing is printed unless there is something to do, and only what running needs is installed, not what the
// checks of the project's own sources need besides.
//
// Plain JavaScript without dependencies, because it runs on the machine's own Node before anything is installed.
// What is already there is left alone; when all is there, it takes a few milliseconds. Exit status: 0 ready, 1 a step
// failed, 2 wrong usage, 3 the machine lacks something that cannot be installed from here.

import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bpfObjects } from './bpf-objects.mjs';
import { bundle } from './bundle.mjs';
import { SetupError } from './commands.mjs';
import { withLock } from './lock.mjs';
import { nativeAddon } from './native-addon.mjs';
import { nodeModules } from './node-modules.mjs';
import { page } from './page.mjs';
import { recordNames } from './record-names.mjs';
import {
  canInstall,
  installPackages,
  missingDevelopmentPackages,
  missingPackages,
} from './system-packages.mjs';

const CHECKOUT = resolve(fileURLToPath(import.meta.url), '../../..');
const STEPS = [nodeModules, nativeAddon, bpfObjects, recordNames, bundle, page];

const say = (line) => process.stderr.write(`mapscope: ${line}\n`);

/** What is still to be done. Tools for developing are only brought by a preparation that was asked for as such. */
function pendingWork(quiet) {
  const steps = STEPS.filter((step) => !step.isCurrent(CHECKOUT));
  const packages = [
    ...(steps.some((step) => step.needsSystemPackages) ? missingPackages() : []),
    ...(!quiet && canInstall() ? missingDevelopmentPackages() : []),
  ];
  return { steps, packages, isNone: steps.length === 0 && packages.length === 0 };
}

async function doWork({ packages }) {
  if (packages.length > 0) {
    say(`installing system packages: ${packages.join(' ')}`);
    await installPackages(packages);
  }
  for (const step of STEPS) {
    // Only now: what a step before has made may be newer than what this one has made of it.
    if (!step.isCurrent(CHECKOUT)) {
      say(step.title);
      await step.make(CHECKOUT);
    }
  }
}

async function prepare(quiet) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(`mapscope runs on Linux on x86-64, not on ${process.platform} ${process.arch}`, {
      exitStatus: 3,
    });
  }
  if (!pendingWork(quiet).isNone) {
    // Another process may have done the work while this one waited for the lock.
    await withLock(
      join(CHECKOUT, 'build', '.prepare-lock'),
      () => doWork(pendingWork(quiet)),
      () => say('waiting for another preparation of this checkout'),
    );
  }
  if (!quiet) {
    say('everything is built');
  }
}

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--quiet');
if (unknown !== undefined) {
  say(`unknown argument ${unknown}; usage: node tools/setup/prepare.mjs [--quiet]`);
  process.exitCode = 2;
} else {
  try {
    await prepare(args.includes('--quiet'));
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    process.stderr.write(error.output);
    say(error.message);
    process.exitCode = error.exitStatus;
  }
}
