import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/*
 * Linux 6.13 and later give a function of a uprobe program a stack per CPU when its frame has 64 bytes or more
 * (BPF_PRIV_STACK_MIN_SIZE, rounded up to 16), although two threads can be in the middle of the program on one CPU. So every
 * frame stays below that; see docs/design/0003-sleepable-programs.md.
 */
const LARGEST_FRAME = 48;
const INSTRUCTION = 8;
const FRAME_POINTER = 10;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

const SYMBOL_TABLE = 2;
const FUNCTION = 2;

/** Section headers of a 64-bit ELF file. */
function sectionsOf(elf: Buffer): Section[] {
  const [table, count] = [Number(elf.readBigUInt64LE(40)), elf.readUInt16LE(60)];
  return Array.from({ length: count }, (_, i) => {
    const at = table + 64 * i;
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 24)),
      size: Number(elf.readBigUInt64LE(at + 32)),
    };
  });
}

/** Bytes of stack that each function of a BPF object uses: the lowest offset from r10. */
function frames(elf: Buffer): number[] {
  const sections = sectionsOf(elf);
  const symbols = sections.find((section) => section.type === SYMBOL_TABLE);
  assert.ok(symbols);
  const found: number[] = [];
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += 24) {
    if ((elf.readUInt8(at + 4) & 15) !== FUNCTION) {
      continue;
    }
    const start = (sections[elf.readUInt16LE(at + 6)]?.offset ?? 0) + Number(elf.readBigUInt64LE(at + 8));
    found.push(lowestOffset(elf.subarray(start, start + Number(elf.readBigUInt64LE(at + 16)))));
  }
  return found;
}

function lowestOffset(code: Buffer): number {
  let lowest = 0;
  for (let at = 0; at < code.length; at += INSTRUCTION) {
    const [opcode = 0, registers = 0] = code.subarray(at, at + 2);
    const [to, from] = [registers & 15, registers >> 4];
    const offset = code.readInt16LE(at + 2);
    const kind = opcode & 7;
    const memory = kind === 1 || kind === 2 || kind === 3;
    if (memory && (kind === 1 ? from : to) === FRAME_POINTER) {
      lowest = Math.min(lowest, offset);
    }
    // r = r10; r += constant
    const next = code.subarray(at + INSTRUCTION, at + 2 * INSTRUCTION);
    if (opcode === 0xbf && from === FRAME_POINTER && next[0] === 0x07) {
      lowest = Math.min(lowest, next.readInt32LE(4));
    }
  }
  return -lowest;
}

for (const name of ['lookup_sleepable', 'lookup_atomic', 'verify_sleepable', 'verify_atomic', 'trace']) {
  test(`${name}: no frame is large enough for a stack per CPU`, () => {
    const object = fileURLToPath(new URL(`../../build/bpf/${name}.bpf.o`, import.meta.url));
    const found = frames(readFileSync(object));
    assert.ok(found.length > 10, `${found.length} functions`);
    assert.ok(Math.max(...found) >= 32, 'frames are found');
    assert.ok(Math.max(...found) <= LARGEST_FRAME, `frames of ${found.join(', ')} bytes`);
  });
}
