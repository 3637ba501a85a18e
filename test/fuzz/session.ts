import { createHash } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { applyEdit, applyEdits, type Edit, minimize, type Recipe } from './recipe.ts';
import type { Seed } from './shrink.ts';

/** What is fuzzed: takes a file's bytes and says what happened; throws only when there is a fault. */
export type Target = (bytes: Uint8Array) => string[];

/** No input, of at most about 400 KB, may take more processor time than this, in milliseconds ... */
export const maxMillis = 1000;
/** ... or allocate more than this, in bytes, on V8's heap and outside of it. */
const maxAllocation = 0x400_0000;

const checkout = new URL('../../', import.meta.url).href;

export interface Fault {
  readonly kind: 'exception' | 'slow' | 'memory' | 'hang';
  readonly message: string;
  readonly recipe: Recipe;
}

/** What one input did. */
export interface Outcome {
  readonly recipe: Recipe;
  readonly features: readonly string[];
  /** Processor time. */
  readonly millis: number;
  /** Bytes by which the heap and the memory outside of it grew. */
  readonly allocated: number;
  readonly fault?: Fault;
}

/** Inputs that did something new are remembered, and changed further. */
const maxCorpus = 5000;
const maxEdits = 12;

/**
 * Makes inputs and tries them. Input number i depends on the seed number, i, and the corpus at that time. The corpus holds the
 * inputs that brought a new feature; half of all inputs start from one of them.
 */
export class Session {
  readonly corpus: Recipe[];
  readonly #seedNumber: number;
  readonly #seeds: readonly Seed[];
  readonly #target: Target;
  readonly #features = new Set<string>();

  constructor(seedNumber: number, seeds: readonly Seed[], target: Target, corpus: readonly Recipe[] = []) {
    this.#seedNumber = seedNumber;
    this.#seeds = seeds;
    this.#target = target;
    this.corpus = [...corpus];
  }

  /** Tries what is in the corpus already, and the seeds unchanged: none of that is new. */
  prepare(begin: (recipe: Recipe) => void): Outcome[] {
    const known = [...this.#seeds.map(({ name }): Recipe => ({ seed: name, edits: [] })), ...this.corpus];
    return known.map((recipe) => {
      begin(recipe);
      const outcome = this.#measure(recipe, this.#bytes(recipe));
      for (const feature of outcome.features) {
        this.#features.add(feature);
      }
      return outcome;
    });
  }

  /** Makes and tries input `i`. `begin` is told the recipe first, for the case that it never ends. */
  run(i: number, begin: (recipe: Recipe) => void): Outcome & { isNew: boolean } {
    const random = new Random(this.#seedNumber, i);
    const { recipe, bytes } = this.#make(random);
    begin(recipe);
    const outcome = this.#measure(recipe, bytes);
    let isNew = false;
    for (const feature of outcome.features) {
      isNew ||= !this.#features.has(feature);
      this.#features.add(feature);
    }
    if (isNew && this.corpus.length < maxCorpus) {
      this.corpus.push(recipe);
    }
    return { ...outcome, isNew };
  }

  get features(): number {
    return this.#features.size;
  }

  /** The same fault with as few edits as possible. */
  minimized(fault: Fault, begin: (recipe: Recipe) => void): Fault {
    const fails = (recipe: Recipe): boolean => {
      begin(recipe);
      return this.#measure(recipe, this.#bytes(recipe)).fault?.kind === fault.kind;
    };
    return { ...fault, recipe: minimize(fault.recipe, fails) };
  }

  #seed(name: string): Seed {
    const seed = this.#seeds.find((candidate) => candidate.name === name);
    if (seed === undefined) {
      throw new Error(`There is no seed ${name}`);
    }
    return seed;
  }

  #bytes({ seed, edits }: Recipe): Buffer {
    return applyEdits(this.#seed(seed), edits);
  }

  #make(random: Random): { recipe: Recipe; bytes: Buffer } {
    const fresh = { seed: random.pick(this.#seeds)?.name ?? '', edits: [] };
    const base: Recipe = random.oneIn(2) ? (random.pick(this.corpus) ?? fresh) : fresh;
    const seed = this.#seed(base.seed);
    const edits: Edit[] = [...base.edits].slice(0, maxEdits - 1);
    let bytes = applyEdits(seed, edits);
    do {
      const edit = mutate(seed, bytes, random);
      edits.push(edit);
      bytes = applyEdit(seed, bytes, edit);
    } while (edits.length < maxEdits && random.oneIn(2));
    return { recipe: { seed: seed.name, edits }, bytes };
  }

  #measure(recipe: Recipe, bytes: Buffer): Outcome {
    const memory = heldMemory();
    const start = process.threadCpuUsage();
    let features: string[] = [];
    let thrown: unknown;
    try {
      features = this.#target(bytes);
    } catch (error) {
      thrown = error;
    }
    const { user, system } = process.threadCpuUsage(start);
    const millis = (user + system) / 1000;
    const allocated = Math.max(0, heldMemory() - memory);
    const outcome = { recipe, features, millis, allocated };
    const fault = describeFault(thrown, millis, allocated);
    return fault === undefined ? outcome : { ...outcome, fault: { ...fault, recipe } };
  }
}

/** Also counts what is garbage: without a collection in between, the difference is all that was allocated. */
function heldMemory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

function describeFault(
  thrown: unknown,
  millis: number,
  allocated: number,
): Pick<Fault, 'kind' | 'message'> | undefined {
  if (thrown !== undefined) {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    const lines = text.replaceAll(checkout, '').split('\n');
    return { kind: 'exception', message: lines.slice(0, 8).join('\n') };
  }
  if (millis > maxMillis) {
    return { kind: 'slow', message: `${Math.round(millis)} ms` };
  }
  if (allocated > maxAllocation) {
    return { kind: 'memory', message: `${allocated} bytes` };
  }
  return undefined;
}

/** Faults with the same key are the same: kind, and the first line of our own code for exceptions. */
export function faultKey({ kind, message, recipe }: Fault): string {
  const place = /src\/gobinary\/\S+:\d+/.exec(message)?.[0] ?? /test\/fuzz\/\S+:\d+/.exec(message)?.[0];
  const what = kind === 'exception' ? (place ?? message) : recipe.edits.map((e) => JSON.stringify(e)).join();
  return `${kind}-${createHash('sha256').update(what).digest('hex').slice(0, 12)}`;
}
