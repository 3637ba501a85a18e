import { BinaryError } from '../error.ts';
import type { Image } from '../file/image.ts';
import { decodeText } from '../file/reader.ts';
import type { FunctionTable } from '../functions/pclntab.ts';
import type { BuildInfo } from './build-info.ts';
import { goString } from './build-info.ts';
import { GO_LAYOUTS, layoutFor, NEWEST_MINOR, OLDEST_MINOR } from './layouts.ts';
import type { ModuleStart } from './module-data.ts';

export interface GoVersion {
  /** As the toolchain wrote it, for example "go1.26.4". */
  readonly text: string;
  /** 26 for Go 1.26.4. */
  readonly minor: number;
  /** 4 for Go 1.26.4; undefined for release candidates and development versions. */
  readonly patch: number | undefined;
  /** Whether there are layouts for this version: false for newer ones, which are read with the newest there are. */
  readonly known: boolean;
  readonly source: 'buildinfo' | 'runtime.buildVersion' | 'go.module';
}

const MAX_VERSION_BYTES = 128;
/** Programs about Go hold a few dozen version texts; schedinit has about 1 KiB of code. */
const MAX_CANDIDATES = 256;
/** String headers looked at. */
const MAX_HEADERS = 0x10_0000;
const MAX_CODE = 0x1_0000;

/**
 * Parses "go1.26.4", "go1.20" (its first release; since Go 1.21 that one is called 1.21.0), "go1.27rc1",
 * "devel go1.27-0123456 Mon ...", "go1.27-devel_0123456 ...", each perhaps followed by a vendor's suffix or " X:experiment".
 */
export function parseGoVersion(text: string): Pick<GoVersion, 'minor' | 'patch'> | undefined {
  const match = /^(devel )?go1\.(\d{1,3})(?:\.(\d{1,4}))?(rc|beta|-devel|-)?/.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, devel, minorText, patchText, preview] = match;
  const minor = Number(minorText);
  if (devel !== undefined || (patchText === undefined && (preview !== undefined || minor >= 21))) {
    return { minor, patch: undefined };
  }
  return { minor, patch: Number(patchText ?? 0) };
}

/**
 * The Go version a program was built with, or a BinaryError when it is unknown ('go-version') or not supported ('go-version'
 * when too old, 'newer-go' when too new, unless `allowNewer`).
 * Build information is asked first; programs without it still hold runtime.buildVersion; failing that,
 * the size of the .go.module section distinguishes Go 1.26 from 1.27.
 */
export function goVersion(
  path: string,
  image: Image,
  module: ModuleStart,
  functions: FunctionTable,
  buildInfo: BuildInfo | undefined,
  moduleSectionSize: number | undefined,
  allowNewer: boolean,
): GoVersion {
  const version =
    fromText(buildInfo?.version, 'buildinfo') ??
    fromText(findBuildVersion(image, functions), 'runtime.buildVersion') ??
    fromModuleSection(moduleSectionSize);
  if (version === undefined) {
    throw new BinaryError('go-version', `${path} is a Go program, but its Go version cannot be determined.`);
  }
  const layout = layoutFor(version.minor);
  if (layout === undefined || !(version.known || allowNewer)) {
    const [reason, side] =
      version.minor < OLDEST_MINOR ? (['go-version', 'older'] as const) : (['newer-go', 'newer'] as const);
    throw new BinaryError(
      reason,
      `${path} was built with ${version.text}, ${side} than the supported Go 1.${OLDEST_MINOR} to 1.${NEWEST_MINOR}.`,
    );
  }
  if (layout.pclntabMagic !== module.magic) {
    throw new BinaryError(
      'malformed',
      `${path} says it was built with ${version.text}, but its function table is of another version.`,
    );
  }
  return version;
}

function fromText(text: string | undefined, source: GoVersion['source']): GoVersion | undefined {
  const parsed = text === undefined ? undefined : parseGoVersion(text);
  if (text === undefined || parsed === undefined) {
    return undefined;
  }
  return { text, ...parsed, known: GO_LAYOUTS.has(parsed.minor), source };
}

function fromModuleSection(size: number | undefined): GoVersion | undefined {
  for (const minor of [26, 27]) {
    if (size === GO_LAYOUTS.get(minor)?.moduledata.size) {
      return { text: `go1.${minor}`, minor, patch: undefined, known: true, source: 'go.module' };
    }
  }
  return undefined;
}

/**
 * The text of runtime.buildVersion: a Go string header in initialised data that leads to a version text. Other
 * variables may look the same, so when texts differ the one that runtime.schedinit tests for emptiness is right
 * (src/runtime/proc.go, Go 1.17 to 1.27: the test is there to keep the variable in the program).
 */
function findBuildVersion(image: Image, functions: FunctionTable): string | undefined {
  const candidates = new Map<number, string>();
  let left = MAX_HEADERS;
  for (const segment of image.segments) {
    if (!segment.writable) {
      continue;
    }
    const last = segment.address + segment.fileSize - 16;
    for (
      let header = Math.ceil(segment.address / 8) * 8;
      header <= last && left > 0 && candidates.size < MAX_CANDIDATES;
      header += 8
    ) {
      const length = image.u32(header + 8);
      if (length < 5 || length > MAX_VERSION_BYTES || image.u32(header + 12) !== 0) {
        continue;
      }
      left--;
      const bytes = goString(image, header, MAX_VERSION_BYTES);
      if (bytes === undefined || (bytes[0] !== 0x67 && bytes[0] !== 0x64)) {
        continue;
      }
      const text = decodeText(bytes);
      if (parseGoVersion(text) !== undefined && /^[\x20-\x7e]+$/.test(text)) {
        candidates.set(header, text);
      }
    }
  }
  const texts = new Set(candidates.values());
  if (texts.size <= 1) {
    return texts.values().next().value;
  }
  for (const { entry, end } of functions.named('runtime.schedinit').slice(0, 2)) {
    const code = image.read(entry, Math.min(end - entry, MAX_CODE));
    for (const [header, text] of candidates) {
      if (refersTo(code, entry, header + 8)) {
        return text;
      }
    }
  }
  return undefined;
}

/** Whether code at `address` has a RIP-relative operand for `target`: a displacement followed by up to 4 immediate bytes. */
function refersTo(code: Uint8Array, address: number, target: number): boolean {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  for (let at = 0; at + 4 <= code.length; at++) {
    const distance = target - (address + at + 4) - view.getInt32(at, true);
    if (distance === 0 || distance === 1 || distance === 4) {
      return true;
    }
  }
  return false;
}
