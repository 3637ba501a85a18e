import type { GoBinary, GoFunction } from '../../src/gobinary/index.ts';

/** A binary in which some things are not as the file has them. */
export function withOther(binary: GoBinary, others: Partial<GoBinary>): GoBinary {
  return new Proxy(binary, {
    get(target, name) {
      const value = Reflect.get(others, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Likewise, with other code in some functions, by their entries. */
export function withCode(binary: GoBinary, code: ReadonlyMap<number, Uint8Array>): GoBinary {
  return withOther(binary, {
    code: (fn: GoFunction) => {
      const other = code.get(fn.entry);
      return other === undefined ? binary.code(fn) : other.slice(0, fn.end - fn.entry);
    },
  });
}

/** Machine code, as hexadecimal digits. */
function machineCode(...lines: readonly string[]): Uint8Array {
  return Uint8Array.from(Buffer.from(lines.join('').replaceAll(' ', ''), 'hex'));
}

const EMULATED = '7400'; // je to the next instruction

/**
 * A lookup function of Swiss maps with many instructions that could be probed, in four arms that read the map without a hash, so
 * that three sites are never enough: all sets of three are in vain. It is `length` bytes long at most.
 */
export function withoutProof(length: number): Uint8Array {
  const spill = '4889442408 48895c2410 48894c2418'; // AX, BX, CX to their homes
  const count = '48833b00'; // cmpq $0, (BX)
  const storage = '488b5310'; // DX: the map's directory
  const read = '488b32 c3'; // SI: what is there; ret
  const hash = '488b5048 488b32 ffd6'; // the type's hasher is called
  const after = `${EMULATED} 488b7c2408 488b4c2418 488b5c2410 488b5310`;
  const fixed = machineCode(spill, count, storage, hash, after, read).length + 4 * 6;
  const jumps = Math.floor((length - fixed - 4 * 4) / 8);
  const arm = machineCode(EMULATED.repeat(jumps), read);
  const head = machineCode(spill, count, storage);
  const tail = machineCode(hash, after, read);
  const code = Buffer.alloc(fixed + 4 * arm.length, 0x90);
  code.set(head, 0);
  for (let i = 0; i < 4; i++) {
    const at = head.length + 6 * i;
    const to = fixed + i * arm.length;
    code.set([0x0f, 0x84], at); // je to an arm
    code.writeInt32LE(to - (at + 6), at + 2);
    code.set(arm, to);
  }
  code.set(tail, head.length + 4 * 6);
  return code;
}
