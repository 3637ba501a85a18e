import { BinaryError } from '../error.ts';
import type { FileBytes } from './file.ts';
import { Reader } from './reader.ts';

/**
 * ELF headers of a 64-bit little-endian x86-64 executable. Layouts: ELF-64 Object File Format, version 1.5, and the
 * System V ABI AMD64 supplement. Sections are optional: a stripped file may have none, and a table that does not
 * fit in the file counts as none.
 */
export interface ElfFile {
  readonly pie: boolean;
  readonly segments: readonly ProgramHeader[];
  readonly sections: readonly Section[];
}

/** One program header. Addresses and sizes in bytes. */
export interface ProgramHeader {
  type: number;
  flags: number;
  fileOffset: number;
  address: number;
  fileSize: number;
  memorySize: number;
}

/** One section header. `type` 8 (NOBITS) has no bytes in the file. */
export interface Section {
  name: string;
  type: number;
  flags: number;
  address: number;
  fileOffset: number;
  size: number;
  link: number;
}

export const SEGMENT_TYPE = { load: 1, dynamic: 2, note: 4 } as const;
export const SEGMENT_FLAG = { execute: 1, write: 2 } as const;
export const SECTION_TYPE = { symtab: 2, strtab: 3, nobits: 8, dynsym: 11 } as const;

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const SECTION_HEADER_SIZE = 64;
const MACHINE_X86_64 = 62;
const TYPE_EXEC = 2;
const TYPE_DYN = 3;
/** Real programs have about ten program headers and fewer than a hundred sections. */
const MAX_PROGRAM_HEADERS = 256;
const MAX_SECTIONS = 4096;
const MAX_SECTION_NAME = 128;

/** Reads and checks the headers; throws BinaryError for each thing that is not a 64-bit x86-64 ELF executable. */
export function readElf(file: FileBytes): ElfFile {
  const { path } = file;
  const start = file.read(0, Math.min(file.size, HEADER_SIZE));
  if (!(start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46)) {
    throw new BinaryError('not-elf', `${path} is not an ELF file.`);
  }
  const header = new Reader(start, `The ELF header of ${path}`, 'truncated');
  const elfClass = header.u8(4);
  if (elfClass === 1) {
    throw new BinaryError('32-bit', `${path} is a 32-bit program; only 64-bit is supported.`);
  }
  if (elfClass !== 2) {
    throw new BinaryError('malformed', `${path} has the unknown ELF class ${elfClass}.`);
  }
  const machine = header.u16(18);
  if (header.u8(5) !== 1 || machine !== MACHINE_X86_64) {
    throw new BinaryError('architecture', `${path} is not for x86-64 (ELF machine ${machine}).`);
  }
  const type = header.u16(16);
  if (type !== TYPE_EXEC && type !== TYPE_DYN) {
    throw new BinaryError('not-go', `${path} is an ELF file but not an executable (ELF type ${type}).`);
  }
  return {
    pie: type === TYPE_DYN,
    segments: readSegments(file, header),
    sections: readSections(file, header),
  };
}

function readSegments(file: FileBytes, header: Reader): ProgramHeader[] {
  const offset = header.u64(32);
  const entrySize = header.u16(54);
  const count = header.u16(56);
  if (count === 0 || count > MAX_PROGRAM_HEADERS || entrySize !== PROGRAM_HEADER_SIZE) {
    throw new BinaryError(
      'malformed',
      `${file.name} has an unusable program header table (${count} entries of ${entrySize} bytes).`,
    );
  }
  const table = new Reader(
    file.read(offset, count * PROGRAM_HEADER_SIZE),
    `The program headers of ${file.name}`,
  );
  const segments: ProgramHeader[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * PROGRAM_HEADER_SIZE;
    segments.push({
      type: table.u32(at),
      flags: table.u32(at + 4),
      fileOffset: table.u64(at + 8),
      address: table.u64(at + 16),
      fileSize: table.u64(at + 32),
      memorySize: table.u64(at + 40),
    });
  }
  return segments;
}

function readSections(file: FileBytes, header: Reader): Section[] {
  const offset = header.u64(40);
  const count = header.u16(60);
  const namesIndex = header.u16(62);
  const fits = (at: number, length: number): boolean => at + length <= file.size;
  if (count === 0 || count > MAX_SECTIONS || header.u16(58) !== SECTION_HEADER_SIZE) {
    return [];
  }
  if (!fits(offset, count * SECTION_HEADER_SIZE)) {
    return [];
  }
  const table = new Reader(
    file.read(offset, count * SECTION_HEADER_SIZE),
    `The section headers of ${file.name}`,
  );
  const sections: Section[] = [];
  const nameOffsets: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * SECTION_HEADER_SIZE;
    nameOffsets.push(table.u32(at));
    sections.push({
      name: '',
      type: table.u32(at + 4),
      flags: table.u32(at + 8),
      address: table.u64(at + 16),
      fileOffset: table.u64(at + 24),
      size: table.u64(at + 32),
      link: table.u32(at + 40),
    });
  }
  const strings = sections[namesIndex];
  if (strings === undefined || strings.size > 0x10_0000 || !fits(strings.fileOffset, strings.size)) {
    return sections;
  }
  const names = file.read(strings.fileOffset, strings.size);
  sections.forEach((section, i) => {
    section.name = nameAt(names, nameOffsets[i] ?? 0);
  });
  return sections;
}

/** Section names are hints: one that does not end is empty, not an error. */
function nameAt(names: Uint8Array, offset: number): string {
  const candidate = names.subarray(offset, offset + MAX_SECTION_NAME);
  const length = candidate.indexOf(0);
  return length < 0 ? '' : Buffer.from(candidate.subarray(0, length)).toString('latin1');
}

export function sectionNamed(elf: ElfFile, name: string): Section | undefined {
  return elf.sections.find((section) => section.name === name);
}
