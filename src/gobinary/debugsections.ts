import { constants, inflateSync } from 'node:zlib';
import { type ElfFile, type Section, sectionNamed, sectionType } from './elf.ts';
import { BinaryError } from './error.ts';
import type { FileBytes } from './file.ts';
import { Reader } from './reader.ts';

/** The start of a debug section, uncompressed. */
export interface DebugSection {
  readonly bytes: Uint8Array;
  /** Whether that is all of it. */
  readonly whole: boolean;
}

const flagCompressed = 0x800;
const compressionZlib = 1;
const chdrSize = 24;
const oldHeaderSize = 12;
const chunkSize = 0x4_0000;

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
  if (plain !== undefined && plain.type !== sectionType.nobits) {
    if ((plain.flags & flagCompressed) === 0) {
      const bytes = file.read(plain.fileOffset, Math.min(plain.size, limit));
      return { bytes, whole: plain.size <= limit };
    }
    const header = new Reader(file.read(plain.fileOffset, Math.min(plain.size, chdrSize)), what(plain));
    if (header.u32(0) !== compressionZlib) {
      throw new BinaryError('malformed', `${what(plain)} is not compressed with zlib.`);
    }
    return inflate(file, plain, chdrSize, header.u64(8), limit);
  }
  const old = sectionNamed(elf, `.zdebug_${name}`);
  if (old === undefined || old.type === sectionType.nobits) return undefined;
  const header = new Reader(file.read(old.fileOffset, Math.min(old.size, oldHeaderSize)), what(old));
  const view = new DataView(header.slice(4, 8).slice().buffer);
  return inflate(file, old, oldHeaderSize, view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4), limit);
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
      chunkSize,
      maxOutputLength: whole ? Math.max(size, 1) : 2 * limit,
      finishFlush: constants.Z_SYNC_FLUSH,
    };
    const bytes = inflateSync(input, options);
    return { bytes, whole };
  } catch (cause) {
    throw new BinaryError('malformed', `${what(section)} cannot be uncompressed.`, { cause });
  }
}
