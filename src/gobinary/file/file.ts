import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { BinaryError, hex } from '../error.ts';

/** Random access to the bytes of one open file. */
export interface FileBytes {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly size: number;
  /** A fresh copy of `length` bytes at `offset`; throws BinaryError 'truncated' if the file has not that much. */
  read(offset: number, length: number): Uint8Array;
}

/** No more than this is read in one piece, so no header field can ask for an unbounded allocation. */
const MAX_READ = 0x4000_0000;

function unreadable(name: string, error: unknown): BinaryError {
  const text = error instanceof Error ? error.message : String(error);
  return new BinaryError('unreadable', `${name} cannot be read: ${text}.`, { cause: error });
}

/** A file that is open until it is closed, or until nothing refers to it any more. */
export class OpenFile implements FileBytes {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly #descriptor: number;

  /** Only regular files are opened (without blocking, so that a pipe or a device cannot hang the caller). */
  constructor(path: string, name: string = path) {
    this.path = path;
    this.name = name;
    try {
      this.#descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw unreadable(name, error);
    }
    // What reads a file now and then, as long as it is of use to anybody, does not know when it is read for the last time.
    FORGOTTEN.register(this, this.#descriptor, this);
    try {
      const status = statusOf(name, this.#descriptor);
      if (!status.isFile()) {
        throw new BinaryError('unreadable', `${name} is not a regular file.`);
      }
      this.size = status.size;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  read(offset: number, length: number): Uint8Array {
    return readExactly(this.name, this.#descriptor, this.size, offset, length);
  }

  /** Nothing may be read after that. */
  close(): void {
    if (FORGOTTEN.unregister(this)) {
      closeSync(this.#descriptor);
    }
  }
}

const FORGOTTEN = new FinalizationRegistry<number>(closeSync);

/** Opens `path`, runs `use` on its bytes and closes it again. */
export function withFile<T>(path: string, use: (file: FileBytes) => T, name: string = path): T {
  const file = new OpenFile(path, name);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/** A file's content that is in memory already. */
export function fileInMemory(path: string, bytes: Uint8Array): FileBytes {
  return {
    path,
    name: path,
    size: bytes.length,
    read(offset, length) {
      checkRange(path, bytes.length, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}

function statusOf(name: string, descriptor: number): Stats {
  try {
    return fstatSync(descriptor);
  } catch (error) {
    throw unreadable(name, error);
  }
}

function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new BinaryError(
      'truncated',
      `${name} is truncated: it has ${size} bytes, but its headers promise ${hex(length)} bytes at offset ${hex(offset)}.`,
    );
  }
  if (length > MAX_READ) {
    throw new BinaryError(
      'malformed',
      `${name} has a part of ${length} bytes, more than the ${MAX_READ} supported.`,
    );
  }
}

function readExactly(
  name: string,
  descriptor: number,
  size: number,
  offset: number,
  length: number,
): Uint8Array {
  checkRange(name, size, offset, length);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    let count: number;
    try {
      count = readSync(descriptor, bytes, done, length - done, offset + done);
    } catch (error) {
      throw unreadable(name, error);
    }
    if (count === 0) {
      throw new BinaryError('truncated', `${name} became shorter while it was read.`);
    }
    done += count;
  }
  return bytes;
}
