// Brings a bare clone to a built checkout: system packages, npm packages, native addon, BPF objects.
//
//   node src/setup/prepare.mjs [--quiet]
//
// Plain JavaScript without dependencies, because it runs on the machine's own Node before anything is installed.
// What is already there is left alone; when all is there, it takes a few milliseconds. Exit status: 0 ready, 1 a step
// failed, 2 wrong usage, 3 the machine lacks something that cannot be installed from here.

import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bpfObjects } from './bpf-objects.mjs';
import { SetupError } from './commands.mjs';
import { withLock } from './lock.mjs';
import { nativeAddon } from './native-addon.mjs';
import { nodeModules } from './node-modules.mjs';
import { installPackages, missingPackages } from './system-packages.mjs';

const CHECKOUT = resolve(fileURLToPath(import.meta.url), '../../..');
const STEPS = [nodeModules, nativeAddon, bpfObjects];

const say = (line) => process.stderr.write(`mapscope: ${line}\n`);

const pendingSteps = () => STEPS.filter((step) => !step.isCurrent(CHECKOUT));

async function makePending() {
  const pending = pendingSteps(); // Another process may have made them while this one waited.
  if (pending.some((step) => step.needsSystemPackages)) {
    const missing = missingPackages();
    if (missing.length > 0) {
      say(`installing system packages: ${missing.join(' ')}`);
      await installPackages(missing);
    }
  }
  for (const step of pending) {
    say(step.title);
    await step.make(CHECKOUT);
  }
}

async function prepare(quiet) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(`mapscope runs on Linux on x86-64, not on ${process.platform} ${process.arch}`, {
      exitStatus: 3,
    });
  }
  if (pendingSteps().length > 0) {
    await withLock(join(CHECKOUT, 'build', '.prepare-lock'), makePending, () =>
      say('waiting for another preparation of this checkout'),
    );
  }
  if (!quiet) say('everything is built');
}

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--quiet');
if (unknown !== undefined) {
  say(`unknown argument ${unknown}; usage: node src/setup/prepare.mjs [--quiet]`);
  process.exitCode = 2;
} else {
  try {
    await prepare(args.includes('--quiet'));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(error.output);
    say(error.message);
    process.exitCode = error.exitStatus;
  }
}
