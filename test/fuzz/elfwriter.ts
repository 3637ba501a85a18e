/** Part of a file that is worth damaging. Names are unique; those of parts of the same kind differ in a number at the end. */
export interface Region {
  readonly name: string;
  readonly start: number;
  readonly length: number;
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly flags: number;
  readonly memory: number;
}

export interface SectionSpec {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly address?: number;
  readonly bytes?: Uint8Array;
  readonly link?: string;
}

const headerSize = 64;
const programHeaderSize = 56;
const sectionHeaderSize = 64;
const load = 1;
export const execute = 1;
export const write = 2;
const read = 4;
const nobits = 8;
const align = (value: number): number => Math.ceil(value / 16) * 16;

/**
 * Puts an executable together: chunks of memory become loadable segments in address order, sections either name a place in
 * them or have bytes of their own. Layouts: ELF-64 Object File Format.
 */
export class ElfWriter {
  readonly #chunks: Chunk[] = [];
  readonly #sections: SectionSpec[] = [];
  readonly #others: { type: number; address: number; size: number }[] = [];

  /** Memory from `address` on. `flags`: of execute and write; zero-filled up to `memory` bytes. */
  segment(address: number, bytes: Uint8Array, flags = 0, memory = bytes.length): void {
    this.#chunks.push({ address, bytes, flags: flags | read, memory });
  }

  /** A program header that is not for loading: dynamic 2, note 4. */
  programHeader(type: number, address: number, size: number): void {
    this.#others.push({ type, address, size });
  }

  section(section: SectionSpec): void {
    this.#sections.push(section);
  }

  /** The file, and where in it the headers and each section with bytes of its own are. */
  write(pie: boolean): { file: Buffer; regions: Region[]; offsetOf: (address: number) => number } {
    const chunks = this.#chunks.toSorted((a, b) => a.address - b.address);
    const headers = chunks.length + this.#others.length;
    let size = align(headerSize + headers * programHeaderSize);
    const offsets = chunks.map(({ bytes }) => {
      const at = size;
      size = align(size + bytes.length);
      return at;
    });
    const offsetOf = (address: number): number => {
      const i = chunks.findIndex((chunk) => address >= chunk.address && address < end(chunk));
      return (offsets[i] ?? 0) + address - (chunks[i]?.address ?? 0);
    };
    const names = Buffer.from(`\0${this.#sections.map(({ name }) => name).join('\0')}\0.shstrtab\0`);
    const sections = [
      { name: '', type: 0 },
      ...this.#sections,
      { name: '.shstrtab', type: 3, bytes: names },
    ] satisfies SectionSpec[] as SectionSpec[];
    const starts = sections.map(({ bytes, type }) => {
      const at = size;
      if (bytes !== undefined && type !== nobits) {
        size = align(size + bytes.length);
      }
      return at;
    });
    const table = size;
    const file = Buffer.alloc(table + sections.length * sectionHeaderSize);
    const regions: Region[] = [
      { name: 'elf header', start: 0, length: headerSize },
      { name: 'program headers', start: headerSize, length: headers * programHeaderSize },
      { name: 'section headers', start: table, length: sections.length * sectionHeaderSize },
    ];

    file.write('\x7fELF\x02\x01\x01', 0, 'latin1');
    file.writeUInt16LE(pie ? 3 : 2, 16);
    file.writeUInt16LE(62, 18);
    file.writeBigUInt64LE(BigInt(headerSize), 32);
    file.writeBigUInt64LE(BigInt(table), 40);
    file.writeUInt16LE(programHeaderSize, 54);
    file.writeUInt16LE(headers, 56);
    file.writeUInt16LE(sectionHeaderSize, 58);
    file.writeUInt16LE(sections.length, 60);
    file.writeUInt16LE(sections.length - 1, 62);
    chunks.forEach(({ address, bytes, flags, memory }, i) => {
      file.set(bytes, offsets[i]);
      programHeader(file, i, load, flags, offsets[i] ?? 0, address, bytes.length, memory);
    });
    this.#others.forEach(({ type, address, size }, i) => {
      programHeader(file, chunks.length + i, type, read, offsetOf(address), address, size, size);
    });
    sections.forEach(({ name, type, flags = 0, address = 0, bytes, link }, i) => {
      const own = bytes !== undefined && address === 0;
      const start = own ? (starts[i] ?? 0) : offsetOf(address);
      if (own) {
        file.set(bytes, start);
        regions.push({ name, start, length: bytes.length });
      }
      const at = table + i * sectionHeaderSize;
      file.writeUInt32LE(name === '' ? 0 : names.indexOf(`\0${name}\0`) + 1, at);
      file.writeUInt32LE(type, at + 4);
      words(file, at + 8, [flags, address, start, bytes?.length ?? 0]);
      file.writeUInt32LE(
        link === undefined ? 0 : sections.findIndex((other) => other.name === link),
        at + 40,
      );
    });
    return { file, regions, offsetOf };
  }
}

function end({ address, bytes }: Chunk): number {
  return address + bytes.length;
}

function programHeader(file: Buffer, index: number, type: number, flags: number, ...rest: number[]): void {
  const [offset = 0, address = 0, fileSize = 0, memorySize = 0] = rest;
  const at = headerSize + index * programHeaderSize;
  file.writeUInt32LE(type, at);
  file.writeUInt32LE(flags, at + 4);
  words(file, at + 8, [offset, address, address, fileSize, memorySize, 16]);
}

/** Writes 64-bit words one after the other. */
export function words(file: Buffer, at: number, values: readonly number[]): void {
  values.forEach((value, i) => {
    file.writeBigUInt64LE(BigInt(value), at + 8 * i);
  });
}
