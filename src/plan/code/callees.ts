import type { GoBinary } from '../../gobinary/index.ts';
import { codeOf } from './code-of.ts';
import { GENERAL_REGISTERS } from './registers.ts';

/** What is known of the functions that code calls directly, by the address that is called. */
export interface Callees {
  /** Name of the function that starts at an address, if it is a function's entry. */
  readonly name: (address: number) => string | undefined;
  /** The register through which a call of this address goes on: the code there is a retpoline. */
  readonly throughRegister: (address: number) => number | undefined;
}

/** With the padding behind it, in bytes. */
const LONGEST_RETPOLINE = 64;

export function calleesOf(binary: GoBinary): Callees {
  const entered = (address: number) => {
    const fn = binary.functionAt(address);
    return fn?.entry === address ? fn : undefined;
  };
  return {
    name: (address) => entered(address)?.name,
    throughRegister: (address) => {
      const fn = entered(address);
      return fn === undefined || fn.end - fn.entry > LONGEST_RETPOLINE
        ? undefined
        : retpolineRegister(codeOf(binary, fn));
    },
  };
}

/**
 * The register whose value a retpoline calls. Programs built with -spectre=ret have no indirect calls: a direct call leads to
 * one of these functions of the runtime, a register each. It puts the register's value where its own call has left a return
 * address, and returns there; nothing else is changed.
 *
 * Compared byte by byte (RETPOLINE in src/runtime/asm_amd64.s, the same from Go 1.16 to 1.27); padding may follow.
 */
export function retpolineRegister(code: Uint8Array): number | undefined {
  for (let register = 0; register < GENERAL_REGISTERS; register++) {
    const expected = [
      ...[0xe8, 4, 0, 0, 0], // call behind the loop
      ...[0xf3, 0x90, 0xeb, 0xfc], // pause; jmp back to it: where the processor speculates to
      ...[0x48 | ((register & 8) >> 1), 0x89, 0x04 | ((register & 7) << 3), 0x24], // mov register, (%rsp)
      0xc3,
    ];
    if (expected.every((byte, i) => code[i] === byte)) {
      return register;
    }
  }
  return undefined;
}
