import { constants, inflateSync } from 'node:zlib';
import { BinaryError } from '../error.ts';
import { type ElfFile, SECTION_TYPE, type Section, sectionNamed } from '../file/elf.ts';
import type { FileBytes } from '../file/file.ts';
import { Reader } from '../file/reader.ts';

/** The start of a debug section, uncompressed. */
export interface DebugSection {
  readonly bytes: Uint8Array;
  /** Whether that is all of it. */
  readonly whole: boolean;
}

const FLAG_COMPRESSED = 0x800;
const COMPRESSION_ZLIB = 1;
const CHDR_SIZE = 24;
const OLD_HEADER_SIZE = 12;
const CHUNK_SIZE = 0x4_0000;

/**
 * Reads at most about `limit` bytes of the section ".debug_NAME"; undefined when the file has none. Throws BinaryError when it
 * cannot be read. Compressed sections: generic ABI, "Section compression" (SHF_COMPRESSED, Go 1.19 and newer); before,
 * ".zdebug_NAME" with "ZLIB", the size as 8 bytes big-endian, and the data (src/cmd/link/internal/ld/dwarf.go, Go 1.18).
 */
export function readDebugSection(
  file: FileBytes,
  elf: ElfFile,
  name: string,
  limit: number,
): DebugSection | undefined {
  const plain = sectionNamed(elf, `.debug_${name}`);
  if (plain !== undefined && plain.type !== SECTION_TYPE.nobits) {
    if ((plain.flags & FLAG_COMPRESSED) === 0) {
      const bytes = file.read(plain.fileOffset, Math.min(plain.size, limit));
      return { bytes, whole: plain.size <= limit };
    }
    const header = new Reader(file.read(plain.fileOffset, Math.min(plain.size, CHDR_SIZE)), what(plain));
    if (header.u32(0) !== COMPRESSION_ZLIB) {
      throw new BinaryError('malformed', `${what(plain)} is not compressed with zlib.`);
    }
    return inflate(file, plain, CHDR_SIZE, header.u64(8), limit);
  }
  const old = sectionNamed(elf, `.zdebug_${name}`);
  if (old === undefined || old.type === SECTION_TYPE.nobits) {
    return undefined;
  }
  const header = new Reader(file.read(old.fileOffset, Math.min(old.size, OLD_HEADER_SIZE)), what(old));
  const view = new DataView(header.slice(4, 8).slice().buffer);
  return inflate(file, old, OLD_HEADER_SIZE, view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4), limit);
}

function what(section: Section): string {
  return `The section ${section.name}`;
}

/** Of a section longer than `limit`, only about as much compressed data is read as yields that. */
function inflate(
  file: FileBytes,
  section: Section,
  headerSize: number,
  size: number,
  limit: number,
): DebugSection {
  const compressed = section.size - headerSize;
  const whole = size <= limit;
  const wanted = Math.min(whole ? compressed : Math.floor((compressed * limit) / size), limit);
  const input = file.read(section.fileOffset + headerSize, wanted);
  try {
    const options = {
      CHUNK_SIZE,
      maxOutputLength: whole ? Math.max(size, 1) : 2 * limit,
      finishFlush: constants.Z_SYNC_FLUSH,
    };
    const bytes = inflateSync(input, options);
    return { bytes, whole };
  } catch (cause) {
    throw new BinaryError('malformed', `${what(section)} cannot be uncompressed.`, { cause });
  }
}
