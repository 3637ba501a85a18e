import type { Image } from '../file/image.ts';
import { decodeText, Reader } from '../file/reader.ts';

/** What `go version -m` shows. */
export interface BuildInfo {
  /** For example "go1.26.4", "go1.24.1 X:noswissmap" or "devel go1.27-0123456 ...". */
  readonly version: string;
  /** The main module ("mod" line). Programs built outside a module have none. */
  readonly modulePath: string | undefined;
  /** The main module's version; undefined when the build was of no particular one, "(devel)". */
  readonly moduleVersion: string | undefined;
  /** Paths of the modules that it was built with ("dep" lines). */
  readonly dependencies: readonly string[];
  /** "build" lines, such as GOEXPERIMENT or -ldflags. */
  readonly settings: ReadonlyMap<string, string>;
}

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const HEADER_SIZE = 32;
/** In all segments. */
const MAX_CANDIDATES = 4096;
const FLAG_BIG_ENDIAN = 1;
const FLAG_INLINE = 2;
const MAX_VERSION_BYTES = 256;
/** The largest programs have some ten thousand bytes. */
const MAX_MODINFO_BYTES = 0x10_0000;
/** The module text is framed by 16 bytes on both sides (src/cmd/go/internal/modload/build.go). */
const FRAME = 16;

/**
 * Finds the build information: at `hint` (the .go.buildinfo section), else at 16-byte alignment in any segment,
 * writable ones first. Undefined when there is none, as in programs whose packer or linker flags dropped it.
 *
 * Source: src/debug/buildinfo/buildinfo.go, Go 1.26 (inline form since Go 1.18, pointer form before).
 */
export function findBuildInfo(image: Image, hint: number | undefined): BuildInfo | undefined {
  if (hint !== undefined) {
    const found = readBuildInfo(image, hint);
    if (found !== undefined) {
      return found;
    }
  }
  const ordered = image.segments.toSorted((a, b) => Number(b.writable) - Number(a.writable));
  let left = MAX_CANDIDATES;
  for (const segment of ordered) {
    for (const address of image.occurrences(segment, MAGIC, left)) {
      left--;
      const found = address % 16 === 0 ? readBuildInfo(image, address) : undefined;
      if (found !== undefined) {
        return found;
      }
    }
  }
  return undefined;
}

/** The build information at an address, the .go.buildinfo section; undefined when it is not there. */
export function readBuildInfo(image: Image, address: number): BuildInfo | undefined {
  if (!image.contains(address, HEADER_SIZE)) {
    return undefined;
  }
  const header = image.read(address, HEADER_SIZE);
  const flags = header[15] ?? 0;
  if (!MAGIC.equals(header.subarray(0, MAGIC.length)) || (flags & FLAG_BIG_ENDIAN) !== 0) {
    return undefined;
  }
  const texts = (flags & FLAG_INLINE) !== 0 ? inlineTexts(image, address) : pointedTexts(image, address);
  if (texts === undefined || !/^(go1|devel )[\x20-\x7e]*$/.test(texts.version)) {
    return undefined;
  }
  return { version: texts.version, ...parseModinfo(texts.modinfo) };
}

interface Texts {
  version: string;
  modinfo: Uint8Array;
}

/** Go 1.18 and newer: two length-prefixed strings follow the header. */
function inlineTexts(image: Image, address: number): Texts | undefined {
  const segment = image.segments.find(
    (candidate) => address >= candidate.address && address < candidate.address + candidate.fileSize,
  );
  if (segment === undefined) {
    return undefined;
  }
  const start = address + HEADER_SIZE;
  const rest = segment.address + segment.fileSize - start;
  if (rest < 2) {
    return undefined;
  }
  const reader = new Reader(image.read(start, Math.min(rest, MAX_MODINFO_BYTES)), 'The build information');
  try {
    const version = reader.uvarint(0);
    if (version.value > MAX_VERSION_BYTES) {
      return undefined;
    }
    const text = decodeText(reader.slice(version.next, version.value));
    const modinfo = reader.uvarint(version.next + version.value);
    return { version: text, modinfo: reader.slice(modinfo.next, modinfo.value) };
  } catch {
    return undefined;
  }
}

/** Before Go 1.18: the header holds pointers to two Go string headers. */
function pointedTexts(image: Image, address: number): Texts | undefined {
  const version = goString(image, image.u64(address + 16), MAX_VERSION_BYTES);
  if (version === undefined) {
    return undefined;
  }
  return {
    version: decodeText(version),
    modinfo: goString(image, image.u64(address + 24), MAX_MODINFO_BYTES) ?? new Uint8Array(),
  };
}

/** The bytes of a Go string whose header (pointer, length) is at `header`; undefined when it leads nowhere or is too long. */
export function goString(image: Image, header: number, max: number): Uint8Array | undefined {
  if (!image.contains(header, 16)) {
    return undefined;
  }
  const address = image.u64(header);
  const length = image.u64(header + 8);
  if (length > max || !image.contains(address, length)) {
    return undefined;
  }
  return image.read(address, length);
}

function parseModinfo(framed: Uint8Array): Omit<BuildInfo, 'version'> {
  const settings = new Map<string, string>();
  const dependencies: string[] = [];
  let modulePath: string | undefined;
  let moduleVersion: string | undefined;
  if (framed.length < 2 * FRAME) {
    return { modulePath, moduleVersion, dependencies, settings };
  }
  for (const line of decodeText(framed.subarray(FRAME, -FRAME)).split('\n')) {
    const [keyword, value = '', version = ''] = line.split('\t');
    if (keyword === 'mod' && modulePath === undefined) {
      modulePath = value;
      moduleVersion = /^v\d[\x21-\x7e]*$/.exec(version)?.[0];
    }
    if (keyword === 'dep') {
      dependencies.push(value);
    }
    const equals = value.indexOf('=');
    if (keyword === 'build' && equals > 0) {
      settings.set(value.slice(0, equals), value.slice(equals + 1));
    }
  }
  return { modulePath, moduleVersion, dependencies, settings };
}
