import { randomUUID } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { type FileHandle, open, realpath, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../base/errors.ts';

/** A file with a temporary name, until it is complete. */
interface Temporary {
  readonly name: string;
  readonly final: string;
  /** Removes the file, unless it already has its final name. */
  readonly remove: () => void;
}

/**
 * The file for a report. mapscope opens it before it observes anything, so that a path that cannot be written fails then. It
 * replaces the file as a whole at the end, so that nobody reads half a report.
 */
export class OutputFile {
  readonly path: string;
  readonly #file: FileHandle;
  /** Undefined if the report goes into the file itself: a device, a pipe, or a file in a folder that takes no other. */
  readonly #temporary: Temporary | undefined;

  private constructor(path: string, file: FileHandle, temporary?: Temporary) {
    this.path = path;
    this.#file = file;
    this.#temporary = temporary;
  }

  /** Rejects with the system's error if the file cannot be written. */
  static async open(path: string): Promise<OutputFile> {
    const existing = await stat(path).catch(() => undefined);
    if (existing !== undefined && !existing.isFile()) {
      return new OutputFile(path, await open(path, 'r+'));
    }
    // A link stays a link: the file that it leads to is replaced.
    const final = existing === undefined ? path : await realpath(path);
    const name = join(dirname(final), `.${basename(final)}.${randomUUID().slice(0, 8)}.tmp`);
    try {
      const file = await open(name, 'wx', existing?.mode);
      return new OutputFile(path, file, { name, final, remove: removedAtExit(name) });
    } catch (error) {
      if (existing !== undefined) {
        return new OutputFile(path, await open(path, 'r+'));
      }
      throw new Error(messageOf(error).replace(name, path), { cause: error });
    }
  }

  /** Writes the report and closes the file. Rejects with the system's error. */
  async write(text: string): Promise<void> {
    try {
      if ((await this.#file.stat()).isFile()) {
        await this.#file.truncate();
      }
      await this.#file.writeFile(text);
      await this.#file.close();
      if (this.#temporary !== undefined) {
        await rename(this.#temporary.name, this.#temporary.final);
      }
    } finally {
      this.#temporary?.remove();
    }
  }
}

/** Removes a file when the process ends. @returns a function that removes it earlier */
function removedAtExit(name: string): () => void {
  const remove = (): void => {
    process.off('exit', remove);
    try {
      unlinkSync(name);
    } catch {
      // It already has its final name.
    }
  };
  process.once('exit', remove);
  return remove;
}
