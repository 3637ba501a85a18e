import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { messageOf } from '../../src/base/errors.ts';

export const KERNEL_LOG = '/dev/kmsg';

/** KERN_WARNING of include/linux/kern_levels.h; what is worse has a lower number. */
const WARNING = 4;

/** The longest record that the kernel gives (PRINTKRB_RECORD_MAX), and some. */
const RECORD_BYTES = 16 * 1024;

/**
 * Warnings that can be the work of what is tested. Others are the machine's own affair: on one that is shared, processes run out of
 * memory, disks fill up and networks go.
 */
const CONCERNS =
  /\bWARNING: |\bBUG: |\bOops\b|\bverifier\b|bpf|uprobe|general protection fault|\bstall|lockup|blocked for more than|refcount/i;

/** What the kernel has logged of level warning or worse since this was opened. */
export class KernelLog {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * Begins to look: what is in the log already is passed over.
   *
   * @throws Error when this process may not read the log
   */
  static open(path: string): KernelLog {
    const log = new KernelLog(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    log.warnings();
    return log;
  }

  /** New ones since the last call, each with what the log says of it. */
  warnings(): string[] {
    const found: string[] = [];
    for (let record = this.#next(); record !== undefined; record = this.#next()) {
      const [, priority, text] = /^(\d+),[^;]*;(.*)/.exec(record) ?? [];
      if (text !== undefined && (Number(priority) & 7) <= WARNING) {
        found.push(text);
      }
    }
    return found;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Each read gives one record. */
  #next(): string | undefined {
    const buffer = Buffer.alloc(RECORD_BYTES);
    for (;;) {
      try {
        return buffer.toString('utf8', 0, readSync(this.#descriptor, buffer));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') {
          return undefined;
        }
        // EPIPE: records were overwritten before they were read; the next read goes on behind them.
        if (code !== 'EPIPE') {
          throw error;
        }
      }
    }
  }
}

/** Of the lines that were logged, those that can be the work of what is tested. */
export function concerning(warnings: readonly string[]): string[] {
  return warnings.filter((line) => CONCERNS.test(line));
}

/**
 * Has the kernel warn again of what it warns of once after each boot. It needs root and debugfs, which is mounted where only one
 * short process sees it; without them the kernel may stay silent.
 */
function rearmWarnings(): void {
  const script = 'mount -t debugfs debugfs /sys/kernel/debug && echo 1 >/sys/kernel/debug/clear_warn_once';
  spawnSync('unshare', ['--mount', 'sh', '-c', script], { stdio: 'ignore' });
}

/** Looks at the log from now on. @returns a function that says what is wrong, which is nothing mostly */
export function watchKernelLog(say: (line: string) => void, path = KERNEL_LOG): () => string[] {
  try {
    const log = KernelLog.open(path);
    rearmWarnings();
    return () => concerning(log.warnings());
  } catch (error) {
    say(`the kernel's log is not looked at, because it cannot be read: ${messageOf(error)}`);
    return () => [];
  }
}
