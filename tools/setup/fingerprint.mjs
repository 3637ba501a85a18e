// Content hashes, and the stamp files that remember which content something was built from.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** All files below a folder, sorted by path; none when it does not exist. */
export function filesBelow(folder) {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

/**
 * Hash of the names and contents of files, and of whatever else decides the result.
 *
 * @param {string} root names are taken relative to it
 * @param {string[]} files
 * @param {string[]} [parameters]
 */
export function fingerprint(root, files, parameters = []) {
  const hash = createHash('sha256').update(JSON.stringify(parameters));
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`\n${relative(root, file)}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** Whether the stamp says that this very content was the last one built. */
export function stampIs(stamp, value) {
  try {
    return readFileSync(stamp, 'utf8').trim() === value;
  } catch {
    return false;
  }
}

/** Writes a stamp so that no reader ever sees half of it. */
export function writeStamp(stamp, value) {
  mkdirSync(dirname(stamp), { recursive: true });
  const temporary = `${stamp}.${process.pid}`;
  writeFileSync(temporary, `${value}\n`);
  renameSync(temporary, stamp);
}
