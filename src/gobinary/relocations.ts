import { type ElfFile, segmentType } from './elf.ts';
import { BinaryError } from './error.ts';
import type { Image } from './image.ts';

const dynamicTag = { null: 0, rela: 7, relaSize: 8, relaEntry: 9 } as const;
const dynamicEntrySize = 16;
const relaEntrySize = 24;
const relativeX86_64 = 8;
const maxDynamicEntries = 4096;

/**
 * Applies R_X86_64_RELATIVE relocations (DT_RELA) with load bias 0: the word at the place becomes the addend.
 * Go's own linker leaves those words zero in a position-independent executable, so without this no table in its data
 * can be followed. Packed relative relocations (DT_RELR) keep the addend in the word itself, so with bias 0 there
 * is nothing to do for them. Symbolic relocations concern C libraries and are left alone.
 *
 * Source: System V ABI AMD64 supplement, 4.4; generic ABI, "Dynamic Section" and "Relative Relocation Table".
 */
export function applyRelocations(image: Image, elf: ElfFile, path: string): void {
  const dynamic = elf.segments.find((segment) => segment.type === segmentType.dynamic);
  if (dynamic === undefined) return;
  const values = new Map<number, number>();
  const count = Math.min(Math.floor(dynamic.memorySize / dynamicEntrySize), maxDynamicEntries);
  for (let i = 0; i < count; i++) {
    const at = dynamic.address + i * dynamicEntrySize;
    const tag = image.u64(at);
    if (tag === dynamicTag.null) break;
    values.set(tag, image.u64(at + 8));
  }
  const address = values.get(dynamicTag.rela) ?? 0;
  const size = values.get(dynamicTag.relaSize) ?? 0;
  if (address === 0 || size === 0) return;
  const entrySize = values.get(dynamicTag.relaEntry) ?? relaEntrySize;
  if (entrySize !== relaEntrySize || !image.contains(address, size)) {
    throw new BinaryError('malformed', `${path} has a relocation table that is not in its memory.`);
  }
  const table = image.read(address, size);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let at = 0; at + relaEntrySize <= size; at += relaEntrySize) {
    if (view.getUint32(at + 8, true) !== relativeX86_64) continue;
    const place = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
    image.relocate(place, view.getUint32(at + 16, true), view.getUint32(at + 20, true));
  }
}
