import { type ElfFile, SEGMENT_TYPE } from './elf.ts';
import type { Image } from './image.ts';
import { decodeText } from './reader.ts';

const NOTE_HEADER_SIZE = 12;
const GO_BUILD_ID_TYPE = 4;
const MAX_NOTES = 64;
const MAX_NOTE_BYTES = 0x1_0000;

/**
 * Go's build ID (as `go tool buildid` prints it) from the ELF notes: owner "Go", type 4. Undefined when there is none.
 * Source: src/cmd/internal/buildid/note.go; note layout: generic ABI, "Note Section".
 */
export function goBuildId(image: Image, elf: ElfFile): string | undefined {
  for (const { type, address, fileSize } of elf.segments) {
    if (type !== SEGMENT_TYPE.note || fileSize > MAX_NOTE_BYTES || !image.contains(address, fileSize)) {
      continue;
    }
    const bytes = image.read(address, fileSize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, i = 0; at + NOTE_HEADER_SIZE <= bytes.length && i < MAX_NOTES; i++) {
      const nameSize = view.getUint32(at, true);
      const textSize = view.getUint32(at + 4, true);
      const name = at + NOTE_HEADER_SIZE;
      const text = name + align4(nameSize);
      if (text + textSize > bytes.length) {
        break;
      }
      const owner = decodeText(bytes.subarray(name, name + nameSize));
      if (owner === 'Go\0\0' && view.getUint32(at + 8, true) === GO_BUILD_ID_TYPE) {
        return decodeText(bytes.subarray(text, text + textSize));
      }
      at = text + align4(textSize);
    }
  }
  return undefined;
}

function align4(size: number): number {
  return Math.ceil(size / 4) * 4;
}
