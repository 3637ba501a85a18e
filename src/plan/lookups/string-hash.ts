import type { GoBinary, GoFunction } from '../../gobinary/index.ts';
import { codeOf } from '../code/code-of.ts';
import { disassemble, disassembleStraight, type Instruction, UnprovenError } from '../code/disassemble.ts';

/** Addresses of the process-wide state of Go's string hash. */
export interface StringHashState {
  /** runtime.aeskeysched, [128]byte (internal/runtime/maps.aeskeysched in 1.27). */
  readonly schedule: number;
  /** The byte that says whether hashes use AES instructions: runtime.useAeshash, internal/runtime/maps.UseAeshash. */
  readonly flag: number;
}

/**
 * Finds the state of the string hash by reading the hash function's code, since stripped binaries have no names for it:
 * up to 1.26 runtime.strhash tests the flag and jumps to the body that reads the schedule; in 1.27 the body is
 * internal/runtime/maps.memHashAES, and the flag is tested by its callers (src/runtime/asm_amd64.s,
 * src/internal/runtime/maps/memhash_amd64.s).
 *
 * @returns undefined when the code is not as known: then what depends on the hash is counted as inexact
 */
export function findStringHash(binary: GoBinary): StringHashState | undefined {
  const body = only(binary, 'aeshashbody') ?? only(binary, 'internal/runtime/maps.memHashAES');
  const lookup = only(binary, 'runtime.mapaccess2_faststr') ?? only(binary, 'runtime.mapaccess1_faststr');
  const hash = only(binary, 'runtime.strhash');
  try {
    const schedule =
      body && fixedAddress(binary, disassembleStraight(codeOf(binary, body), body.entry), isVectorRead);
    const flag =
      (hash && fixedAddress(binary, disassembleStraight(codeOf(binary, hash), hash.entry), testsByte)) ??
      (lookup && fixedAddress(binary, disassemble(codeOf(binary, lookup), lookup.entry), testsByte));
    return schedule === undefined || flag === undefined ? undefined : { schedule, flag };
  } catch (error) {
    if (error instanceof UnprovenError) {
      return undefined;
    }
    throw error;
  }
}

function isVectorRead(instruction: Instruction): boolean {
  return instruction.mnemonic === 'pxor' && instruction.memory[0]?.size === 16;
}

function testsByte(instruction: Instruction): boolean {
  return instruction.mnemonic === 'cmp' && instruction.memory[0]?.size === 1;
}

function only(binary: GoBinary, name: string): GoFunction | undefined {
  return binary.functionsNamed(name)[0];
}

/** The address that the first matching instruction refers to, if the code shows it. */
function fixedAddress(
  binary: GoBinary,
  instructions: readonly Instruction[],
  matches: (i: Instruction) => boolean,
): number | undefined {
  for (const [i, instruction] of instructions.entries()) {
    const [memory] = matches(instruction) ? instruction.memory : [];
    if (memory?.ripRelative) {
      return memory.displacement;
    }
    if (memory?.base !== undefined && memory.index === undefined) {
      const base = sharedSymbol(binary, instructions, i, memory.base);
      if (base !== undefined) {
        return base + memory.displacement;
      }
    }
  }
  return undefined;
}

/**
 * What a register points to at an instruction, where the one before has loaded it from a word that the dynamic loader sets: plugins
 * reach in that way what they share with the program. It is told as the address of the plugin's own.
 */
function sharedSymbol(
  binary: GoBinary,
  instructions: readonly Instruction[],
  index: number,
  register: number,
): number | undefined {
  const [load, use] = instructions.slice(index - 1, index + 1);
  const [to, from] = load?.operands ?? [];
  if (
    index === 0 ||
    load?.mnemonic !== 'mov' ||
    load.address + load.length !== use?.address ||
    to?.kind !== 'register' ||
    to.size !== 8 ||
    to.register !== register ||
    from?.kind !== 'memory' ||
    !from.memory.ripRelative ||
    instructions.some(({ target }) => target === use.address)
  ) {
    return undefined;
  }
  const place = from.memory.displacement;
  const address = binary.image.inFile(place, 8) ? binary.image.u64(place) : 0;
  return binary.symbolWords().has(address) ? address : undefined;
}
