import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { EXIT, messageOf, UserError } from '../base/errors.ts';
import {
  executableName,
  executablePath,
  fileName,
  isMappingOf,
  type Mapping,
  mappedFilePaths,
  mappings,
  readProc,
} from './process.ts';
import { fileNotRead, isRefusal } from './rights.ts';

/** Closes what nobody closed. */
const FORGOTTEN = new FinalizationRegistry<number>(closeSync);

/** How a process comes to the code of a file: it executes it, or has mapped it. */
type Use = 'executed' | 'mapped';

/**
 * The file whose code a process runs, opened once and held from the first byte that is read to the last breakpoint that is
 * taken out. /proc/PID/exe names another file as soon as the process executes another: opening it a second time
 * could put breakpoints, planned for the old file, into the middle of the new one's instructions.
 */
export class Executable {
  /** Its path as the user or the kernel gives it, for messages; another file may have that path by now. */
  readonly name: string;
  /** Its path as the kernel gives it. */
  readonly location: string;
  readonly inode: bigint;
  readonly #device: bigint;
  /** Tells contents apart: of all files on this machine, and of a file before and after it was changed in place. */
  readonly identity: string;
  readonly #use: Use;
  #descriptor: number | undefined;

  private constructor(descriptor: number, location: string, name: string, use: Use = 'executed') {
    this.#use = use;
    this.location = location;
    FORGOTTEN.register(this, descriptor, this);
    this.#descriptor = descriptor;
    this.name = name;
    const { dev, ino, size, mtimeNs } = fstatSync(descriptor, { bigint: true });
    this.inode = ino;
    this.#device = dev;
    this.identity = [dev, ino, size, mtimeNs].join(' ');
  }

  /** @throws UserError when there is no such process, or its executable may not be read */
  static ofProcess(pid: number): Executable {
    const shown = executableName(pid);
    return readProc(pid, () => {
      const descriptor = openReadable(executablePath(pid), constants.O_RDONLY, shown);
      // Read after the open: it may be the name of a later file, which only messages show.
      const name = fileName(`/proc/self/fd/${descriptor}`, pid);
      return new Executable(descriptor, name, name);
    });
  }

  /** A file that a process has mapped; undefined when it cannot be opened, or is another by now. */
  static mappedBy(pid: number, mapping: Mapping): Executable | undefined {
    const descriptor = openMapped(pid, mapping);
    if (descriptor === undefined) {
      return undefined;
    }
    const name = fileName(`/proc/self/fd/${descriptor}`, pid);
    return new Executable(descriptor, name, name, 'mapped');
  }

  /** The process has mapped it, and executes another file. */
  get isMapped(): boolean {
    return this.#use === 'mapped';
  }

  /**
   * The file at a path, which a process may execute later. Opened without blocking, so that a pipe cannot hang us.
   *
   * @throws UserError when it cannot be opened
   */
  static atPath(path: string): Executable {
    try {
      const descriptor = openReadable(path, constants.O_RDONLY | constants.O_NONBLOCK, path);
      return new Executable(descriptor, fileName(`/proc/self/fd/${descriptor}`), path);
    } catch (error) {
      throw error instanceof UserError ? error : whyNotOpened(path, error);
    }
  }

  /** The open file, for child processes that are to inherit it. */
  get descriptor(): number {
    if (this.#descriptor === undefined) {
      throw new Error(`the executable ${this.name} is closed`);
    }
    return this.#descriptor;
  }

  /** Opens this very file, also after it was replaced or deleted; in this process, and until close(). */
  get path(): string {
    return `/proc/self/fd/${this.descriptor}`;
  }

  /** Whether a process runs this file's code at this moment. False also when it has ended. */
  isRunBy(pid: number): boolean {
    try {
      if (this.isMapped) {
        return this.codeMappings(pid).length > 0;
      }
      const { dev, ino } = statSync(executablePath(pid), { bigint: true });
      return dev === this.#device && ino === this.inode;
    } catch {
      return false;
    }
  }

  /**
   * Where a process has mapped code of this file. The inode distinguishes it from other files, also from those that have the
   * same path by now. Device numbers are not compared: btrfs and overlayfs say another one in /proc/PID/maps than in stat().
   * Before Linux 6.8 overlayfs also says another inode there; then the path must do. That breakpoints really arrive in the
   * process is looked at after each attach.
   */
  codeMappings(pid: number): Mapping[] {
    const code = mappings(pid).filter((mapping) => mapping.executable);
    const same = code.filter(({ inode }) => BigInt(inode) === this.inode);
    return same.length > 0 ? same : code.filter((mapping) => isMappingOf(mapping, this.location));
  }

  /**
   * Reads a byte at each of these offsets, so that the pages are in the page cache. ext4 warns in the kernel's log, which
   * panics where panic_on_warn is set, when the kernel has to read a page of a probed instruction itself (Linux 6.18).
   */
  readPages(offsets: readonly number[]): void {
    const byte = new Uint8Array(1);
    for (const offset of offsets) {
      readSync(this.descriptor, byte, 0, 1, offset);
    }
  }

  /** To be called when nothing is attached any more, and nothing is being attached. */
  close(): void {
    if (this.#descriptor !== undefined) {
      FORGOTTEN.unregister(this);
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
  }
}

/** A descriptor of the very file that is mapped; undefined when it cannot be had. */
function openMapped(pid: number, mapping: Mapping): number | undefined {
  for (const path of mappedFilePaths(pid, mapping)) {
    try {
      const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      // Another file may have the path by now.
      if (Number(fstatSync(descriptor, { bigint: true }).ino) === mapping.inode) {
        return descriptor;
      }
      closeSync(descriptor);
    } catch {
      // The next.
    }
  }
  return undefined;
}

/** @throws UserError when the file may not be read: who may look at a process need not have the right to read its file */
function openReadable(path: string, flags: number, shown: string): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    throw isRefusal(error) ? fileNotRead(shown) : error;
  }
}

function whyNotOpened(path: string, cause: unknown): UserError {
  const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const sentence = isMissing ? `There is no ${path}.` : `${path} cannot be read: ${messageOf(cause)}.`;
  return new UserError(sentence, EXIT.cannotObserve, { cause });
}
