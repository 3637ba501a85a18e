import { Executable } from './executable.ts';
import { isExecutableOf, type Mapping, mappings } from './process.ts';

/** The files, other than its executable, that a process has mapped code of. They may become more. */
export class MappedFiles {
  readonly #pid: number;
  readonly #given = new Set<string>();
  /** There at the last look, and not given yet. */
  #waiting: ReadonlySet<string> = new Set();

  constructor(pid: number) {
    this.#pid = pid;
  }

  /**
   * Those that have not been given yet, opened: libraries, and the program where a dynamic loader was started with its name. Those
   * that cannot be opened, or are others by now, are left out.
   *
   * @throws UserError when there is no such process, or it may not be looked at
   */
  all(): Executable[] {
    return this.#give(this.#notGiven());
  }

  /** The same of those only that were there at the last call, too: with others the dynamic loader may still be busy. */
  settled(): Executable[] {
    const found = this.#notGiven();
    const settled = new Map([...found].filter(([key]) => this.#waiting.has(key)));
    this.#waiting = new Set(found.keys());
    return this.#give(settled);
  }

  /** Whether there are any: without a dynamic loader there never will be. */
  get areAny(): boolean {
    return this.#given.size > 0 || this.#notGiven().size > 0;
  }

  #notGiven(): Map<string, Mapping> {
    const found = new Map<string, Mapping>();
    const isOwn = isExecutableOf(this.#pid);
    for (const mapping of mappings(this.#pid)) {
      const key = `${mapping.inode} ${mapping.path}`;
      if (mapping.executable && !this.#given.has(key) && !found.has(key) && !isOwn(mapping)) {
        found.set(key, mapping);
      }
    }
    return found;
  }

  #give(files: ReadonlyMap<string, Mapping>): Executable[] {
    return [...files].flatMap(([key, mapping]) => {
      this.#given.add(key);
      return Executable.mappedBy(this.#pid, mapping) ?? [];
    });
  }
}
