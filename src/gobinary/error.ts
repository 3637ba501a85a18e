/**
 * Why a file cannot be read as a Go program.
 *
 * - `unreadable`: the file cannot be opened or read (missing, no permission, not a regular file)
 * - `not-elf`: it does not start with the ELF magic
 * - `truncated`: ELF, but it ends before something its headers promise
 * - `32-bit`: ELF class 32
 * - `architecture`: a machine other than x86-64
 * - `not-go`: an ELF file without Go's function table, or not an executable
 * - `go-version`: Go, but older than 1.17, of unknown version, or with a function table of an unknown format
 * - `newer-go`: Go, but newer than 1.27; openGoBinary can try on request
 * - `malformed`: Go, but a table in it contradicts itself or points outside the file
 */
export type BinaryErrorReason =
  | 'unreadable'
  | 'not-elf'
  | 'truncated'
  | '32-bit'
  | 'architecture'
  | 'not-go'
  | 'go-version'
  | 'newer-go'
  | 'malformed';

/** The one error of this folder. The message is one sentence that can be shown to a user. */
export class BinaryError extends Error {
  readonly reason: BinaryErrorReason;

  constructor(reason: BinaryErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BinaryError';
    this.reason = reason;
  }
}

/** An address or count for a message: lower-case hexadecimal with 0x. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
