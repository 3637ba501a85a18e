import type { Instruction } from './disassemble.ts';

/**
 * Whether the kernel emulates the instruction under a uprobe, so that a hit costs one trap instead of two.
 *
 * Linux arch/x86/kernel/uprobes.c, branch_setup_xol_ops and push_setup_xol_ops: jmp rel8/rel32, jcc rel8/rel32,
 * call rel32, one-byte nop (also with an operand-size prefix), push of a 64-bit register. A branch with an operand-size
 * prefix is refused by the kernel, and multi-byte nops are emulated by recent kernels only: both are left out.
 */
export function isEmulated(instruction: Instruction): boolean {
  const [first = 0, second = 0] = instruction.bytes;
  const length = instruction.bytes.length;
  if (first === 0xeb || first === 0xe9 || first === 0xe8) {
    return true;
  }
  if (first >= 0x70 && first <= 0x7f) {
    return true;
  }
  if (first === 0x0f && second >= 0x80 && second <= 0x8f) {
    return true;
  }
  if (first === 0x90 && length === 1) {
    return true;
  }
  if (first === 0x66 && second === 0x90 && length === 2) {
    return true;
  }
  return first >= 0x50 && first <= 0x57;
}
