import { EXIT, UserError } from '../base/errors.ts';
import type { GoBinary } from '../gobinary/index.ts';
import { addon } from '../kernel/addon.ts';
import type { Executable } from './executable.ts';
import { executableName, threadWithMemory } from './process.ts';
import { isRefusal, memoryNotRead } from './rights.ts';

const PAGE = 4096;

/** Bytes of a pointer. */
const WORD = 8;

/** Bytes that are read of a process at once. */
const LONGEST_READ = 2 ** 20;

/** int3: what a uprobe puts over an instruction's first byte, ours as well as another tool's. */
const BREAKPOINT = 0xcc;

/** An instruction of the executable that is to carry a breakpoint. */
export interface PlannedInstruction {
  /** Link-time address. */
  readonly address: number;
  /** Its bytes as the executable has them. */
  readonly bytes: Uint8Array;
  /** Its text, for messages. */
  readonly instruction: string;
}

/** A binary where a process has mapped it: what every program that attaches to the process works with. */
export class MappedBinary {
  readonly pid: number;
  readonly executable: Executable;
  readonly binary: GoBinary;
  /** Run-time address minus link-time address; 0 unless position independent. */
  readonly bias: number;
  #shared: ReadonlyMap<number, number> | undefined;

  private constructor(pid: number, executable: Executable, binary: GoBinary, bias: number) {
    this.pid = pid;
    this.executable = executable;
    this.binary = binary;
    this.bias = bias;
  }

  /**
   * @param executable held open by the caller, until nothing is attached any more
   * @param binary what was read from that file
   * @throws UserError when the process executes another file, or does not map the binary's code
   */
  static of(pid: number, executable: Executable, binary: GoBinary): MappedBinary {
    if (!executable.isRunBy(pid)) {
      throw runsAnother(pid, executable);
    }
    return new MappedBinary(pid, executable, binary, loadBias(pid, executable, binary));
  }

  /**
   * Compares the planned instructions with those that are mapped in the process. They differ when the file was changed
   * after the process started, or when something has patched the code.
   *
   * @throws UserError on the first difference: nothing may be attached then
   */
  checkCode(sites: readonly PlannedInstruction[]): void {
    for (const site of sites) {
      const mapped = this.#read(site.address, site.bytes.length);
      // Another tool's probe may be there already.
      const same = mapped.every((byte, i) => byte === site.bytes[i] || (i === 0 && byte === BREAKPOINT));
      if (same) {
        continue;
      }
      const where = `0x${site.address.toString(16)} (${site.instruction})`;
      const found = mapped.toString('hex');
      const message = `The code of process ${this.pid} differs from its executable at ${where}: found ${found}. Nothing was attached.`;
      throw new UserError(message, EXIT.cannotObserve);
    }
  }

  /**
   * What the process uses of another file instead of what this one has: a plugin and the program that loads it both have the
   * types that they share, and the dynamic loader chooses one of each (docs/design/0014). Addresses are link-time ones of this
   * file, also of what is elsewhere, which may be negative.
   *
   * @returns the address of what this file has, to the address of what is used
   * @throws UserError when the memory of the process may not be read
   */
  elsewhere(): ReadonlyMap<number, number> {
    this.#shared ??= this.executable.isMapped ? this.#chosenElsewhere() : new Map();
    return this.#shared;
  }

  #chosenElsewhere(): Map<number, number> {
    const words = [...this.binary.symbolWords()].sort(([, a], [, b]) => a - b);
    const found = new Map<number, number>();
    for (const run of neighbours(words)) {
      const [, first] = run[0] as Word;
      const [, last] = run.at(-1) as Word;
      const bytes = this.#read(first, last + WORD - first);
      for (const [own, place] of run) {
        const chosen = Number(bytes.readBigUInt64LE(place - first)) - this.bias;
        if (chosen !== own) {
          found.set(own, chosen);
        }
      }
    }
    return found;
  }

  /** @throws UserError when the memory of the process may not be read */
  checkReadable(address: number): void {
    this.#read(address, 1);
  }

  /** @throws UserError when the process has ended or runs another program, or its memory may not be read */
  #read(address: number, length: number): Buffer {
    try {
      return addon.readMemory(threadWithMemory(this.pid), BigInt(address + this.bias), length);
    } catch (error) {
      if (isRefusal(error)) {
        throw memoryNotRead(this.pid);
      }
      throw this.executable.isRunBy(this.pid) ? error : runsAnother(this.pid, this.executable);
    }
  }
}

/** An address in the file, and the place of a word that tells what is used instead. */
type Word = readonly [own: number, place: number];

/** Words, in order, in runs that are each read at once. */
function* neighbours(words: readonly Word[]): Generator<readonly Word[]> {
  let run: Word[] = [];
  for (const word of words) {
    const [previous, first] = [run.at(-1), run[0]];
    if (
      previous !== undefined &&
      first !== undefined &&
      (word[1] - previous[1] > PAGE || word[1] - first[1] > LONGEST_READ)
    ) {
      yield run;
      run = [];
    }
    run.push(word);
  }
  if (run.length > 0) {
    yield run;
  }
}

/** The error for a process that runs other code by now; it says so when the process has ended, or may not be looked at. */
function runsAnother(pid: number, executable: Executable): UserError {
  const now = executableName(pid);
  const message = executable.isMapped
    ? `Process ${pid} no longer maps ${executable.name}. Nothing was attached.`
    : `Process ${pid} now executes ${now} instead of ${executable.name}. Nothing was attached.`;
  return new UserError(message, EXIT.cannotObserve);
}

/** @throws UserError when the process does not map the binary's code */
function loadBias(pid: number, executable: Executable, binary: GoBinary): number {
  const code = binary.segments().find((s) => s.executable);
  for (const mapping of executable.codeMappings(pid)) {
    if (code === undefined || mapping.fileOffset !== alignDown(code.fileOffset)) {
      continue;
    }
    return mapping.start - alignDown(code.address);
  }
  throw new UserError(`Process ${pid} has not mapped the code of ${executable.name}.`, EXIT.cannotObserve);
}

function alignDown(address: number): number {
  return address - (address % PAGE);
}
