import { BinaryError } from './error.ts';
import type { GoBinary } from './gobinary.ts';
import { kindLayout, typeFlag } from './layouts.ts';
import { kind, type TypeHeader, TypeTable } from './types.ts';

/** One comparison of a part of a key. Offset and size in bytes. Strings are 16 bytes (pointer, length), interfaces too. */
export interface EqualStep {
  kind: 'memory' | 'string' | 'float32' | 'float64' | 'eface' | 'iface';
  offset: number;
  size: number;
}

/** How Go decides that two values of a type are equal: all steps must hold. No steps: all values are equal. */
export type Equality =
  | { readonly known: true; readonly steps: readonly EqualStep[] }
  | { readonly known: false; readonly reason: string };

const maxSteps = 64;
const maxDepth = 64;
/** Visited types and fields; bounds hostile descriptors made of zero-size parts. */
const maxVisits = 4096;
const maxKeySize = 2 ** 32;

class Unknown extends Error {}

/**
 * The comparisons that the compiler's equality function for the type at `typeAddress` makes. Blank fields and padding
 * are not compared; adjacent plain memory is one step. Never throws: what cannot be followed is `known: false`.
 *
 * Source: src/cmd/compile/internal/compare and reflectdata/alg.go (geneq), Go 1.22; src/runtime/alg.go.
 */
export function typeEquality(binary: GoBinary, typeAddress: number): Equality {
  return equalityIn(new TypeTable(binary), typeAddress);
}

/** The same for a type reached through any TypeTable (live addresses). */
export function equalityIn(types: TypeTable, typeAddress: number): Equality {
  const walk = new Walk(types);
  try {
    walk.type(typeAddress, 0, 0);
  } catch (error) {
    if (error instanceof Unknown || error instanceof BinaryError)
      return { known: false, reason: error.message };
    throw error;
  }
  return { known: true, steps: walk.steps };
}

class Walk {
  readonly steps: EqualStep[] = [];
  readonly #types: TypeTable;
  #visits = 0;

  constructor(types: TypeTable) {
    this.#types = types;
  }

  #add(kindOfStep: EqualStep['kind'], offset: number, size: number): void {
    if (size === 0) return;
    const last = this.steps.at(-1);
    if (kindOfStep === 'memory' && last?.kind === 'memory' && last.offset + last.size === offset) {
      last.size += size;
      return;
    }
    if (this.steps.length === maxSteps) throw new Unknown('too many fields');
    this.steps.push({ kind: kindOfStep, offset, size });
  }

  #visit(depth: number): void {
    if (depth > maxDepth) throw new Unknown('nested too deeply');
    if (++this.#visits > maxVisits || !this.#types.spend()) throw new Unknown('too many fields');
  }

  type(address: number, offset: number, depth: number): void {
    this.#visit(depth);
    const type = this.#types.header(address);
    if (type.size > maxKeySize) throw new Unknown('impossibly large');
    if ((type.tflag & typeFlag.regularMemory) !== 0) {
      this.#add('memory', offset, type.size);
      return;
    }
    switch (type.kind) {
      case kind.string:
        this.#add('string', offset, 16);
        break;
      case kind.float32:
        this.#add('float32', offset, 4);
        break;
      case kind.float64:
        this.#add('float64', offset, 8);
        break;
      case kind.complex64:
        this.#add('float32', offset, 4);
        this.#add('float32', offset + 4, 4);
        break;
      case kind.complex128:
        this.#add('float64', offset, 8);
        this.#add('float64', offset + 8, 8);
        break;
      case kind.interface: {
        const methods = this.#types.word(address + kindLayout.interface.methodCount);
        this.#add(methods === 0 ? 'eface' : 'iface', offset, 16);
        break;
      }
      case kind.array:
        this.#array(type, offset, depth);
        break;
      case kind.struct:
        this.#struct(type, offset, depth);
        break;
      case kind.func:
      case kind.map:
      case kind.slice:
        throw new Unknown('not comparable');
      default:
        if (type.kind === 0 || type.kind > kind.unsafePointer) throw new Unknown('not a type');
        this.#add('memory', offset, type.size);
    }
  }

  #array({ address, size }: TypeHeader, offset: number, depth: number): void {
    const elem = this.#types.pointer(address + kindLayout.array.elem);
    const length = this.#types.word(address + kindLayout.array.length);
    if (length === 0 || size === 0) return;
    const stride = size / length;
    for (let i = 0; i < length; i++) this.type(elem, offset + i * stride, depth + 1);
  }

  #struct({ address }: TypeHeader, offset: number, depth: number): void {
    const types = this.#types;
    const fields = types.pointer(address + kindLayout.struct.fields);
    const count = types.word(address + kindLayout.struct.fieldCount);
    const { field } = kindLayout;
    for (let i = 0; i < count; i++) {
      this.#visit(depth);
      const at = fields + i * field.size;
      if (types.nameText(types.pointer(at + field.name)) === '_') continue;
      const fieldOffset = types.word(at + field.offset) / 2 ** types.layout.fieldOffsetShift;
      this.type(types.pointer(at + field.type), offset + Math.floor(fieldOffset), depth + 1);
    }
  }
}
