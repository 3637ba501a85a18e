/** x86-64 general registers by hardware number: the numbering of iced-x86 and of bpf/shared/site.h. */
export const RAX = 0;
const RCX = 1;
export const RDX = 2;
const RBX = 3;
export const RSP = 4;
export const RBP = 5;
const RSI = 6;
const RDI = 7;
const R8 = 8;

/** Integer argument registers of Go's ABIInternal on amd64, in order (cmd/compile/abi-internal.md). */
export const GO_ARGUMENTS: readonly number[] = [RAX, RBX, RCX, RDI, RSI, R8, 9, 10, 11];

export const GENERAL_REGISTERS = 16;
