import { type GoBinary, type GoFunction, Structs } from '../../gobinary/index.ts';
import { RefusedError } from './site.ts';

/** A program of which the sources are planned, with what they share and what takes time to find out. */
export class Program {
  readonly binary: GoBinary;
  readonly structs: Structs;
  readonly #probed: readonly string[];
  #inlined: ReadonlyMap<string, GoFunction> | undefined;

  /** @param probed names of all functions that may get a site */
  constructor(binary: GoBinary, probed: readonly string[]) {
    this.binary = binary;
    this.structs = new Structs(binary);
    this.#probed = probed;
  }

  has(name: string): boolean {
    return this.binary.functionsNamed(name).length > 0;
  }

  /** The only function of a name. */
  only(name: string): GoFunction {
    const [found, another] = this.binary.functionsNamed(name);
    if (found === undefined) {
      throw new RefusedError(`it has no function ${name}`);
    }
    if (another !== undefined) {
      throw new RefusedError(`it has more than one function ${name}`);
    }
    return found;
  }

  /**
   * The only function of a name, which must not be inlined anywhere, for no site sees it there: a compiler that has a profile
   * (PGO) makes calls through interfaces direct, and may inline them.
   */
  function(name: string): GoFunction {
    const found = this.only(name);
    this.#inlined ??= this.binary.inlined(new Set(this.#probed));
    const into = this.#inlined.get(name);
    if (into !== undefined) {
      throw new RefusedError(`${name} is inlined into ${into.name}, where its calls would not be seen`);
    }
    return found;
  }
}
