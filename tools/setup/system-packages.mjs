// What the builds need from the system, and installing it on Debian and its relatives.

import { existsSync } from 'node:fs';
import {
  byClangPreference,
  capture,
  findClang,
  findCommand,
  OLDEST_CLANG,
  PREFERRED_CLANG,
  run,
  SetupError,
} from './commands.mjs';

const COMMANDS = { 'pkg-config': 'pkg-config', 'g++': 'g++', make: 'make', python3: 'python3' };
const MODULES = { libbpf: 'libbpf-dev', libelf: 'libelf-dev', zlib: 'zlib1g-dev' };

/** These stand for the distribution's best packages until those are known. */
const CLANG = 'clang';
const CLANG_FORMAT = 'clang-format';
const BPFTOOL = 'bpftool';
/** They complete the command, as tests see; bash is there. */
const SHELLS = ['zsh', 'fish'];
const CHROMIUM = 'chromium';
const PASSING_FAILURE =
  /could not get lock|temporary failure|failed to fetch|hash sum mismatch|connection|time(d )?out/i;
const RETRY_AFTER_MS = 3000;

/** Packages whose commands or libraries are missing; `clang` stands for any clang that is new enough. */
export function missingPackages() {
  const missing = findClang() === undefined ? [CLANG] : [];
  for (const [command, name] of Object.entries(COMMANDS)) {
    if (findCommand(command) === undefined) {
      missing.push(name);
    }
  }
  const modules = Object.keys(MODULES);
  if (capture('pkg-config', ['--exists', ...modules]) === undefined) {
    missing.push(
      ...modules.filter((m) => capture('pkg-config', ['--exists', m]) === undefined).map((m) => MODULES[m]),
    );
  }
  return missing;
}

/** Packages that only the project's own checks and tests need. */
export function missingDevelopmentPackages() {
  const format = findCommand(`clang-format-${PREFERRED_CLANG}`) ?? findCommand('clang-format');
  return [
    ...(format === undefined ? [CLANG_FORMAT] : []),
    ...(findBpftool() ? [] : [BPFTOOL]),
    ...SHELLS.filter((shell) => findCommand(shell) === undefined),
    ...(findCommand(CHROMIUM) === undefined ? [CHROMIUM] : []),
  ];
}

/** Debian puts it where only root's PATH looks. */
const findBpftool = () => findCommand(BPFTOOL) !== undefined || existsSync(`/usr/sbin/${BPFTOOL}`);

/** Whether packages can be installed without asking anyone. */
export const canInstall = () => process.getuid() === 0 && findCommand('apt-get') !== undefined;

/** The versions under which this distribution has packages NAME-version, the preferred one first. */
function packagedVersions(name) {
  const found = capture('apt-cache', ['search', '--names-only', `^${name}-[0-9]+$`]) ?? '';
  const versions = [...found.matchAll(new RegExp(`^${name}-(\\d+)\\b`, 'gm'))].map((match) =>
    Number(match[1]),
  );
  return versions.filter((version) => version >= OLDEST_CLANG).sort(byClangPreference);
}

function packageName(missing) {
  if (missing === CLANG) {
    return `clang-${packagedVersions(CLANG)[0] ?? PREFERRED_CLANG}`;
  }
  if (missing === CLANG_FORMAT && packagedVersions(CLANG_FORMAT).includes(PREFERRED_CLANG)) {
    return `clang-format-${PREFERRED_CLANG}`;
  }
  return missing;
}

const INSTALL = ['install', '-y', '--no-install-recommends'];

async function apt(args) {
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const complete = ['-o', 'DPkg::Lock::Timeout=120', ...args];
  const first = await run('apt-get', complete, options);
  if (first.ok || !PASSING_FAILURE.test(first.output)) {
    return first;
  }
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  return run('apt-get', complete, options);
}

/**
 * Installs packages, or throws what the user has to do.
 *
 * @param {string[]} missing from missingPackages() and missingDevelopmentPackages()
 */
export async function installPackages(missing) {
  if (!canInstall()) {
    const hasApt = findCommand('apt-get') !== undefined;
    const names = missing.map(packageName).join(' ');
    const how = hasApt
      ? `run: sudo apt-get ${INSTALL.join(' ')} ${names}`
      : `install what Debian calls: ${names}`;
    throw new SetupError(`the machine lacks what the build needs; ${how}`, { exitStatus: 3 });
  }
  // A failing update may concern a source that is not needed: the installation decides.
  const update = await apt(['update']);
  const install = await apt([...INSTALL, ...missing.map(packageName)]);
  if (!install.ok) {
    throw new SetupError(`apt-get install ${install.ended}`, {
      exitStatus: 3,
      output: update.ok ? install.output : update.output + install.output,
    });
  }
  const still = missingPackages();
  if (still.length > 0) {
    throw new SetupError(`still missing after apt-get install: ${still.join(' ')}`, {
      exitStatus: 3,
      output: install.output,
    });
  }
}
