// Finding and running other programs.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A failure with one sentence for the user, an exit status, and what the failed program printed. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {{ exitStatus?: number, output?: string }} [details] exit status 1: a step failed, 3: the machine is unfit
   */
  constructor(message, { exitStatus = 1, output = '' } = {}) {
    super(message);
    this.exitStatus = exitStatus;
    this.output = output;
  }
}

function pathFolders() {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Path of a command on the PATH, or undefined. */
export function findCommand(name) {
  return pathFolders()
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Names of all files on the PATH that match a pattern. */
function commandsMatching(pattern) {
  return pathFolders().flatMap((folder) => {
    try {
      return readdirSync(folder).filter((name) => pattern.test(name));
    } catch {
      return [];
    }
  });
}

/** Oldest clang whose BPF back end knows everything that the programs use. */
export const OLDEST_CLANG = 15;
/** The clang that the project is tested with. */
export const PREFERRED_CLANG = 19;

/** Puts the preferred clang first, then the others from new to old. */
export function byClangPreference(a, b) {
  return Number(b === PREFERRED_CLANG) - Number(a === PREFERRED_CLANG) || b - a;
}

/** Path of a clang that is new enough, or undefined. */
export function findClang() {
  const versions = commandsMatching(/^clang-\d+$/).map((name) => Number(name.slice('clang-'.length)));
  for (const version of versions.filter((v) => v >= OLDEST_CLANG).sort(byClangPreference)) {
    const path = findCommand(`clang-${version}`);
    if (path !== undefined) {
      return path;
    }
  }
  const plain = findCommand('clang');
  if (plain === undefined) {
    return undefined;
  }
  const version = /version (\d+)\./.exec(capture(plain, ['--version']) ?? '');
  return version !== null && Number(version[1]) >= OLDEST_CLANG ? plain : undefined;
}

/** Standard output of a short command, or undefined when it fails. */
export function capture(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * Runs a command to its end and keeps its output for the case that it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<{ ok: boolean, ended: string, output: string }>} `ended` says how it ended
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const chunks = [];
    const child = spawn(command, args, {
      ...options,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    const output = () => Buffer.concat(chunks).toString();
    child.on('error', (error) =>
      resolve({ ok: false, ended: `could not start: ${error.message}`, output: output() }),
    );
    child.on('close', (code, signal) =>
      resolve({
        ok: code === 0,
        ended: signal === null ? `ended with status ${code}` : `was ended by ${signal}`,
        output: output(),
      }),
    );
  });
}
