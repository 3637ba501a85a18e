/** A program header. */
export interface Header {
  type?: number;
  flags?: number;
  offset?: number;
  address?: number;
  fileSize?: number;
  memorySize?: number;
}

/** A minimal executable: ELF header, program headers, then `content` at the given file offset. */
export function elf(
  headers: readonly Header[],
  content: Buffer = Buffer.alloc(0),
  contentOffset = 0x1000,
): Buffer {
  const file = Buffer.alloc(Math.max(contentOffset + content.length, 64 + 56 * headers.length));
  file.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(62, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(headers.length, 56);
  headers.forEach(
    ({ type = 1, flags = 6, offset = 0, address = 0, fileSize = 0, memorySize = fileSize }, i) => {
      const at = 64 + 56 * i;
      file.writeUInt32LE(type, at);
      file.writeUInt32LE(flags, at + 4);
      for (const [field, value] of [
        [8, offset],
        [16, address],
        [32, fileSize],
        [40, memorySize],
      ] as const) {
        file.writeBigUInt64LE(BigInt(value), at + field);
      }
    },
  );
  content.copy(file, contentOffset);
  return file;
}
