import { VERSION } from '../../base/version.ts';

/** The version of configuration files that this mapscope reads and writes. */
export const CONFIG_VERSION = 1;

/** What the key `version` says, in words. */
export const VERSION_HELP = `version of the configuration's format: ${CONFIG_VERSION}; a file that says none is taken as ${CONFIG_VERSION}`;

/** What is wrong with a file's version, as a sentence; undefined when it can be read. */
export function versionProblem(version: unknown): string | undefined {
  if (version === undefined || version === CONFIG_VERSION) {
    return undefined;
  }
  return Number.isSafeInteger(version) && Number(version) > CONFIG_VERSION
    ? `version ${version} is newer than mapscope ${VERSION} knows, which is ${CONFIG_VERSION}: use a newer mapscope.`
    : `version must be ${CONFIG_VERSION}, the only one there is so far.`;
}
