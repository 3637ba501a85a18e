import { EXIT, UserError } from '../base/errors.ts';
import type { AttachMethod, AttachOptions, ProbeObject, WindowOutcome } from '../kernel/addon.ts';
import type { Executable } from '../target/executable.ts';
import type { MappedBinary } from '../target/mapped.ts';
import { hasLostMainThread, threadWithMemory } from '../target/process.ts';
import { isRefusal } from '../target/rights.ts';
import { loadObject, type ObjectOptions } from './objects.ts';

/** An instruction that carries a breakpoint, and the cookie that the program gets when it is hit. */
export interface Breakpoint {
  /** Link-time address. */
  readonly address: number;
  readonly fileOffset: number;
  readonly cookie: bigint;
}

/** Of the page cache. */
const PAGE = 4096;

/** Where breakpoints go in. */
interface Places extends Pick<AttachOptions, 'offsets' | 'cookies' | 'proof'> {
  readonly of: readonly Breakpoint[];
  /** Offsets of the pages that they are in. */
  readonly pages: readonly number[];
}

/**
 * A BPF program that is loaded for one target. The one place that attaches. Whatever the process executes later, only
 * the file that the sites were planned for is ever probed, and each attach checks that breakpoints arrive in the process.
 */
export class TargetProgram {
  readonly kernel: ProbeObject;
  readonly attachMethod: AttachMethod;
  readonly #target: MappedBinary;
  /** Of the breakpoints that went in last: mostly they are the same again. */
  #places: Places | undefined;

  private constructor(kernel: ProbeObject, attachMethod: AttachMethod, target: MappedBinary) {
    this.kernel = kernel;
    this.attachMethod = attachMethod;
    this.#target = target;
  }

  /**
   * Loads the program into the kernel; nothing is attached yet.
   *
   * @param target its executable must stay open until the program is closed
   * @throws UserError when this machine or the rights of this process do not allow it
   */
  static async load(target: MappedBinary, options: ObjectOptions): Promise<TargetProgram> {
    const { kernel, attachMethod } = await loadObject(withMethodFor(target.pid, options));
    return new TargetProgram(kernel, attachMethod, target);
  }

  /**
   * Puts breakpoints in, in this order.
   *
   * @throws UserError when they do not arrive in the process; they are taken out again then
   */
  async attach(breakpoints: readonly Breakpoint[]): Promise<void> {
    await this.#arriving(breakpoints, this.kernel.attach(this.#options(breakpoints)));
  }

  /**
   * Puts breakpoints in for a short time, all on one thread of the addon.
   *
   * @param busy how many of them, the last ones, are hit far more often than the others
   */
  window(
    breakpoints: readonly Breakpoint[],
    busy: number,
    limits: { openMicros: number; hitLimit: number },
  ): Promise<WindowOutcome> {
    return this.#arriving(
      breakpoints,
      this.kernel.window({ ...this.#options(breakpoints), busy, ...limits }),
    );
  }

  /** Takes the breakpoints out; when this returns none is left in the target. */
  async detach(): Promise<void> {
    await this.kernel.detach();
  }

  /** Releases all kernel resources. */
  close(): void {
    this.kernel.close();
  }

  #options(breakpoints: readonly Breakpoint[]): AttachOptions {
    const { executable, pid } = this.#target;
    if (this.#places?.of !== breakpoints) {
      this.#places = this.#placesOf(breakpoints);
    }
    const { of: _, pages, ...places } = this.#places;
    executable.readPages(pages);
    return {
      path: executable.path,
      // The kernel finds the memory through any thread for perf events, through the main one for a link.
      pid: this.attachMethod === 'perf_event' ? threadWithMemory(pid) : pid,
      ...places,
    };
  }

  #placesOf(breakpoints: readonly Breakpoint[]): Places {
    const [first] = breakpoints;
    const offsets = breakpoints.map(({ fileOffset }) => fileOffset);
    return {
      of: breakpoints,
      pages: [...new Set(offsets.map((offset) => Math.floor(offset / PAGE) * PAGE))],
      offsets: offsets.map(BigInt),
      cookies: breakpoints.map(({ cookie }) => cookie),
      ...(first && { proof: BigInt(first.address + this.#target.bias) }),
    };
  }

  /**
   * The kernel puts breakpoints into mappings of the file's inode. A process can run the same file through another inode:
   * overlayfs copies a file up when somebody changes its owner or mode, and the running process keeps the one below.
   */
  async #arriving<T>([first]: readonly Breakpoint[], attached: Promise<T>): Promise<T> {
    try {
      return await attached;
    } catch (error) {
      const { pid, executable } = this.#target;
      if (first !== undefined && isRefusal(error)) {
        // A process may protect itself later: then nobody can look whether breakpoints arrive.
        this.#target.checkReadable(first.address);
      }
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ESTALE' && !(code === 'ESRCH' && hasLostMainThread(pid))) {
        throw error;
      }
      const reason = whyNotArrived(pid, executable, this.attachMethod);
      const message = `Breakpoints in ${executable.name} do not take effect in process ${pid}: ${reason}`;
      throw new UserError(message, EXIT.cannotObserve, { cause: error });
    }
  }
}

/** Without its main thread a process can only be probed by perf events. */
function withMethodFor(pid: number, options: ObjectOptions): ObjectOptions {
  return hasLostMainThread(pid) ? { ...options, attachMethod: 'perf_event' } : options;
}

function whyNotArrived(pid: number, executable: Executable, method: AttachMethod): string {
  if (!executable.isRunBy(pid)) {
    return 'it now executes another program.';
  }
  if (method === 'uprobe_multi' && hasLostMainThread(pid)) {
    return 'its main thread has ended.';
  }
  return 'the file was changed, or copied up by overlayfs, after the process started.';
}
