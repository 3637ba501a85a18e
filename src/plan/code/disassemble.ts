import {
  Decoder,
  DecoderOptions,
  FlowControl,
  Instruction as IcedInstruction,
  InstructionInfoFactory,
  MemorySizeExt,
  Mnemonic,
  OpAccess,
  OpKind,
  Register,
  RegisterExt,
} from 'iced-x86';

/** A memory operand: the address is base + index * scale + displacement, or `displacement` alone when rip-relative. */
export interface MemoryOperand {
  readonly base: number | undefined;
  readonly index: number | undefined;
  readonly displacement: number;
  readonly ripRelative: boolean;
  /** Bytes accessed; 0 when only the address is computed (lea, multi-byte nop). */
  readonly size: number;
}

export type Operand =
  | { readonly kind: 'register'; readonly register: number; readonly size: number }
  | { readonly kind: 'vector' }
  | { readonly kind: 'immediate'; readonly value: number }
  | { readonly kind: 'memory'; readonly memory: MemoryOperand }
  | { readonly kind: 'target' };

export type Flow = 'next' | 'jump' | 'branch' | 'call' | 'indirectCall' | 'return' | 'stop';

/** One instruction, reduced to what the data-flow analysis of a lookup function looks at. */
export interface Instruction {
  readonly address: number;
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly mnemonic: string;
  readonly flow: Flow;
  /** Destination of a direct jump, branch or call. */
  readonly target: number | undefined;
  readonly operands: readonly Operand[];
  /** General registers the instruction may write, whole or in part. */
  readonly writes: readonly number[];
  /** General registers the instruction may read, other than to form an address. */
  readonly reads: readonly number[];
  /** Every memory operand that the instruction names. Others it has only with push, pop, call and ret: string instructions are refused. */
  readonly memory: readonly MemoryOperand[];
  readonly text: string;
}

/** The machine code is not what the analysis understands; the function is refused, never guessed. */
export class UnprovenError extends Error {
  override readonly name = 'UnprovenError';
}

/** More than any function that is looked at has; lookup functions have fewer than 500. */
const MOST_INSTRUCTIONS = 20_000;
/** The same of a straight line. */
const MOST_STRAIGHT = 4096;

/**
 * Decodes the instructions that control flow can reach from the function's entry, in address order. Following the flow,
 * not the bytes, means that no instruction boundary is ever assumed: padding and data between instructions are not read.
 *
 * @param code the function's machine code
 * @param entry its link-time address
 * @throws UnprovenError on an invalid instruction, an indirect jump, a jump into the middle of an instruction, or too many of them
 */
export function disassemble(code: Uint8Array, entry: number): Instruction[] {
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const info = new InstructionInfoFactory();
  const found = new Map<number, Instruction>();
  const pending = [entry];
  const end = entry + code.length;
  for (let address = pending.pop(); address !== undefined; address = pending.pop()) {
    while (!found.has(address)) {
      if (address < entry || address >= end) {
        throw new UnprovenError(`control leaves the function to ${hex(address)}`);
      }
      decoder.position = address - entry;
      decoder.ip = BigInt(address);
      const decoded = decoder.decode();
      const instruction = reduce(
        decoded,
        code.subarray(address - entry, address - entry + decoded.length),
        info,
      );
      decoded.free();
      found.set(address, instruction);
      if (found.size > MOST_INSTRUCTIONS) {
        throw new UnprovenError(`it has more than ${MOST_INSTRUCTIONS} instructions`);
      }
      if (instruction.flow === 'jump' || instruction.flow === 'branch') {
        if (instruction.target === undefined) {
          throw new UnprovenError(`indirect jump at ${hex(address)}`);
        }
        // A jump out of the function is a tail call: the state there is another function's business.
        if (instruction.target >= entry && instruction.target < end) {
          pending.push(instruction.target);
        } else {
          throw new UnprovenError(`jump out of the function at ${hex(address)}`);
        }
      }
      if (instruction.flow === 'jump' || instruction.flow === 'return' || instruction.flow === 'stop') {
        break;
      }
      address += instruction.length;
      // A call of a function that does not return may be the last instruction.
      if (address >= end && (instruction.flow === 'call' || instruction.flow === 'indirectCall')) {
        break;
      }
    }
  }
  decoder.free();
  info.free();
  const ordered = [...found.values()].sort((a, b) => a.address - b.address);
  ordered.forEach((instruction, i) => {
    const next = ordered[i + 1];
    if (next !== undefined && instruction.address + instruction.length > next.address) {
      throw new UnprovenError(
        `a jump leads into the middle of the instruction at ${hex(instruction.address)}`,
      );
    }
  });
  return ordered;
}

/** Decodes from the function's entry up to the first instruction that leaves the straight line, that one included. */
export function disassembleStraight(code: Uint8Array, entry: number): Instruction[] {
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const info = new InstructionInfoFactory();
  const found: Instruction[] = [];
  decoder.ip = BigInt(entry);
  while (decoder.canDecode) {
    const at = decoder.position;
    const decoded = decoder.decode();
    const instruction = reduce(decoded, code.subarray(at, at + decoded.length), info);
    decoded.free();
    found.push(instruction);
    if (instruction.flow !== 'next' || found.length === MOST_STRAIGHT) {
      break;
    }
  }
  decoder.free();
  info.free();
  return found;
}

/** A call, jump or branch as a linear sweep finds it. */
export interface Transfer {
  readonly address: number;
  /** The address behind it. */
  readonly following: number;
  readonly flow: 'jump' | 'branch' | 'call';
  /** Undefined for one through a register or memory. */
  readonly target: number | undefined;
}

const TRANSFERS: ReadonlyMap<FlowControl, Transfer['flow']> = new Map([
  [FlowControl.UnconditionalBranch, 'jump'],
  [FlowControl.IndirectBranch, 'jump'],
  [FlowControl.ConditionalBranch, 'branch'],
  [FlowControl.Call, 'call'],
]);

/**
 * The jumps, branches and direct calls of a function, by a linear sweep: Go's compiler puts no data between instructions. Good
 * enough to show to people and to find what jumps where; no instruction boundary may be taken from it.
 */
export function* transfersIn(code: Uint8Array, entry: number): Generator<Transfer> {
  const decoder = new Decoder(64, code, DecoderOptions.None);
  decoder.ip = BigInt(entry);
  const decoded = new IcedInstruction();
  while (decoder.canDecode) {
    decoder.decodeOut(decoded);
    const flow = TRANSFERS.get(decoded.flowControl);
    if (flow === undefined) {
      continue;
    }
    const target = hasNearTarget(decoded) ? Number(decoded.nearBranchTarget) : undefined;
    yield { address: Number(decoded.ip), following: Number(decoded.nextIP), flow, target };
  }
  decoded.free();
  decoder.free();
}

/** All direct calls in a function; see transfersIn. */
export function* callsIn(
  code: Uint8Array,
  entry: number,
): Generator<{ returnAddress: number; target: number }> {
  for (const { flow, following, target } of transfersIn(code, entry)) {
    if (flow === 'call' && target !== undefined) {
      yield { returnAddress: following, target };
    }
  }
}

/** An address as people write it. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

const FLOWS: ReadonlyMap<FlowControl, Flow> = new Map([
  [FlowControl.Next, 'next'],
  [FlowControl.UnconditionalBranch, 'jump'],
  [FlowControl.IndirectBranch, 'jump'],
  [FlowControl.ConditionalBranch, 'branch'],
  [FlowControl.Call, 'call'],
  [FlowControl.IndirectCall, 'indirectCall'],
  [FlowControl.Return, 'return'],
  [FlowControl.Exception, 'stop'],
  [FlowControl.Interrupt, 'stop'],
]);

const WRITING: readonly OpAccess[] = [
  OpAccess.Write,
  OpAccess.CondWrite,
  OpAccess.ReadWrite,
  OpAccess.ReadCondWrite,
];
const READING: readonly OpAccess[] = [
  OpAccess.Read,
  OpAccess.CondRead,
  OpAccess.ReadWrite,
  OpAccess.ReadCondWrite,
];

function reduce(decoded: IcedInstruction, bytes: Uint8Array, factory: InstructionInfoFactory): Instruction {
  const flow = FLOWS.get(decoded.flowControl);
  if (decoded.isInvalid || flow === undefined) {
    throw new UnprovenError(`no known instruction at ${hex(Number(decoded.ip))}`);
  }
  const operands: Operand[] = [];
  for (let i = 0; i < decoded.opCount; i++) {
    operands.push(operand(decoded, i));
  }
  const used = factory.info(decoded);
  const registers = used
    .usedRegisters()
    .map((r) => ({ number: generalRegister(r.register), access: r.access }));
  const numbers = (accesses: readonly OpAccess[]) => [
    ...new Set(
      registers.flatMap((r) => (r.number !== undefined && accesses.includes(r.access) ? [r.number] : [])),
    ),
  ];
  const explicit = operands.flatMap((o) => (o.kind === 'memory' ? [o.memory] : []));
  const direct = flow === 'call' || ((flow === 'jump' || flow === 'branch') && hasNearTarget(decoded));
  return {
    address: Number(decoded.ip),
    length: decoded.length,
    bytes: Uint8Array.from(bytes),
    mnemonic: (Mnemonic[decoded.mnemonic] ?? '?').toLowerCase(),
    flow,
    target: direct ? Number(decoded.nearBranchTarget) : undefined,
    operands,
    writes: numbers(WRITING),
    reads: numbers(READING),
    memory: explicit,
    text: decoded.toString(),
  };
}

function hasNearTarget(decoded: IcedInstruction): boolean {
  return decoded.op0Kind === OpKind.NearBranch64;
}

function operand(decoded: IcedInstruction, i: number): Operand {
  switch (decoded.opKind(i)) {
    case OpKind.Register: {
      const register = decoded.opRegister(i);
      const number = generalRegister(register);
      return number === undefined
        ? { kind: 'vector' }
        : { kind: 'register', register: number, size: RegisterExt.size(register) };
    }
    case OpKind.Memory: {
      const addressOnly = decoded.mnemonic === Mnemonic.Lea || decoded.mnemonic === Mnemonic.Nop;
      return {
        kind: 'memory',
        memory: {
          base: decoded.isIpRelMemoryOperand ? undefined : generalRegister(decoded.memoryBase),
          index: generalRegister(decoded.memoryIndex),
          displacement: Number(
            decoded.isIpRelMemoryOperand
              ? decoded.ipRelMemoryAddress
              : BigInt.asIntN(64, decoded.memoryDisplacement),
          ),
          ripRelative: decoded.isIpRelMemoryOperand,
          size: addressOnly ? 0 : MemorySizeExt.size(decoded.memorySize),
        },
      };
    }
    case OpKind.NearBranch64:
      return { kind: 'target' };
    case OpKind.MemorySegRSI:
    case OpKind.MemoryESRDI:
      // String instructions: no lookup function has them, and the analysis does not follow them.
      throw new UnprovenError(`string instruction at ${hex(Number(decoded.ip))}`);
    default:
      return { kind: 'immediate', value: Number(BigInt.asIntN(64, decoded.immediate(i))) };
  }
}

/** The full general register's number, or undefined for any other register. */
function generalRegister(register: Register): number | undefined {
  if (register === Register.None) {
    return undefined;
  }
  const full = RegisterExt.fullRegister(register);
  return RegisterExt.isGPR64(full) ? RegisterExt.number(full) : undefined;
}
