import { type ElfFile, segmentType } from './elf.ts';
import type { Image } from './image.ts';
import { decodeText } from './reader.ts';

const noteHeaderSize = 12;
const goBuildIdType = 4;
const maxNotes = 64;
const maxNoteBytes = 0x1_0000;

/**
 * Go's build ID (as `go tool buildid` prints it) from the ELF notes: owner "Go", type 4. Undefined when there is none.
 * Source: src/cmd/internal/buildid/note.go; note layout: generic ABI, "Note Section".
 */
export function goBuildId(image: Image, elf: ElfFile): string | undefined {
  for (const { type, address, fileSize } of elf.segments) {
    if (type !== segmentType.note || fileSize > maxNoteBytes || !image.contains(address, fileSize)) continue;
    const bytes = image.read(address, fileSize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, i = 0; at + noteHeaderSize <= bytes.length && i < maxNotes; i++) {
      const nameSize = view.getUint32(at, true);
      const textSize = view.getUint32(at + 4, true);
      const name = at + noteHeaderSize;
      const text = name + align4(nameSize);
      if (text + textSize > bytes.length) break;
      const owner = decodeText(bytes.subarray(name, name + nameSize));
      if (owner === 'Go\0\0' && view.getUint32(at + 8, true) === goBuildIdType) {
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
