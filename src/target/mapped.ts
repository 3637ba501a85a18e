import { EXIT, UserError } from '../errors.ts';
import type { GoBinary } from '../gobinary/index.ts';
import { addon } from '../kernel/addon.ts';
import type { ProbeSite } from '../probesites/plan.ts';
import { executableName, mappings } from './process.ts';

const PAGE = 4096;

/** int3: the breakpoint that another tool's probe may already have put over an instruction's first byte. */
const BREAKPOINT = 0xcc;

/**
 * Where a binary is mapped in a process: run-time address minus link-time address, 0 unless position independent.
 *
 * @throws UserError when the process does not map the binary's code
 */
export function loadBias(pid: number, binary: GoBinary): number {
  const code = binary.segments().find((s) => s.executable);
  const name = executableName(pid).replace(/ \(deleted\)$/, '');
  const mapped = mappings(pid).filter((m) => m.executable && m.path.replace(/ \(deleted\)$/, '') === name);
  for (const mapping of mapped) {
    if (code === undefined || mapping.fileOffset !== alignDown(code.fileOffset)) continue;
    return mapping.start - alignDown(code.address);
  }
  throw new UserError(`Process ${pid} does not map the code of ${name}.`, EXIT.cannotObserve);
}

function alignDown(address: number): number {
  return address - (address % PAGE);
}

/**
 * Compares the planned instructions with those that are mapped in the process. They differ when the file was replaced
 * after the process started, or when something has patched the code.
 *
 * @throws UserError on the first difference: nothing may be attached then
 */
export function checkMappedBytes(
  pid: number,
  bias: number,
  sites: readonly Pick<ProbeSite, 'address' | 'bytes' | 'instruction'>[],
): void {
  for (const site of sites) {
    const mapped = addon.readMemory(pid, BigInt(site.address + bias), site.bytes.length);
    const same = mapped.every((byte, i) => byte === site.bytes[i] || (i === 0 && byte === BREAKPOINT));
    if (same) continue;
    const where = `0x${site.address.toString(16)} (${site.instruction})`;
    const found = mapped.toString('hex');
    const message = `The code of process ${pid} differs from its executable at ${where}: found ${found}. Nothing was attached.`;
    throw new UserError(message, EXIT.cannotObserve);
  }
}
