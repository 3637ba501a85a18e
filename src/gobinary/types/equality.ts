import type { GoBinary } from '../binary.ts';
import { BinaryError } from '../error.ts';
import { KIND_LAYOUT, TYPE_FLAG } from '../go/layouts.ts';
import type { Equality, EqualStep } from './map-type.ts';
import { KIND, type TypeHeader, TypeTable } from './type-table.ts';

const MAX_STEPS = 64;
const MAX_DEPTH = 64;
/** Visited types and fields; bounds hostile descriptors made of zero-size parts. */
const MAX_VISITS = 4096;
const MAX_KEY_SIZE = 2 ** 32;

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
    if (error instanceof Unknown || error instanceof BinaryError) {
      return { known: false, reason: error.message };
    }
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
    if (size === 0) {
      return;
    }
    const last = this.steps.at(-1);
    if (kindOfStep === 'memory' && last?.kind === 'memory' && last.offset + last.size === offset) {
      last.size += size;
      return;
    }
    if (this.steps.length === MAX_STEPS) {
      throw new Unknown('too many fields');
    }
    this.steps.push({ kind: kindOfStep, offset, size });
  }

  #visit(depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new Unknown('nested too deeply');
    }
    if (++this.#visits > MAX_VISITS || !this.#types.spend()) {
      throw new Unknown('too many fields');
    }
  }

  type(address: number, offset: number, depth: number): void {
    this.#visit(depth);
    const type = this.#types.header(address);
    if (type.size > MAX_KEY_SIZE) {
      throw new Unknown('impossibly large');
    }
    if ((type.tflag & TYPE_FLAG.regularMemory) !== 0) {
      this.#add('memory', offset, type.size);
      return;
    }
    switch (type.kind) {
      case KIND.string:
        this.#add('string', offset, 16);
        break;
      case KIND.float32:
        this.#add('float32', offset, 4);
        break;
      case KIND.float64:
        this.#add('float64', offset, 8);
        break;
      case KIND.complex64:
        this.#add('float32', offset, 4);
        this.#add('float32', offset + 4, 4);
        break;
      case KIND.complex128:
        this.#add('float64', offset, 8);
        this.#add('float64', offset + 8, 8);
        break;
      case KIND.interface: {
        const methods = this.#types.word(address + KIND_LAYOUT.interface.methodCount);
        this.#add(methods === 0 ? 'eface' : 'iface', offset, 16);
        break;
      }
      case KIND.array:
        this.#array(type, offset, depth);
        break;
      case KIND.struct:
        this.#struct(type, offset, depth);
        break;
      case KIND.func:
      case KIND.map:
      case KIND.slice:
        throw new Unknown('not comparable');
      default:
        if (type.kind === 0 || type.kind > KIND.unsafePointer) {
          throw new Unknown('not a type');
        }
        this.#add('memory', offset, type.size);
    }
  }

  #array({ address, size }: TypeHeader, offset: number, depth: number): void {
    const elem = this.#types.pointer(address + KIND_LAYOUT.array.elem);
    const length = this.#types.word(address + KIND_LAYOUT.array.length);
    if (length === 0 || size === 0) {
      return;
    }
    const stride = size / length;
    for (let i = 0; i < length; i++) {
      this.type(elem, offset + i * stride, depth + 1);
    }
  }

  #struct({ address }: TypeHeader, offset: number, depth: number): void {
    const types = this.#types;
    const fields = types.pointer(address + KIND_LAYOUT.struct.fields);
    const count = types.word(address + KIND_LAYOUT.struct.fieldCount);
    const { field } = KIND_LAYOUT;
    for (let i = 0; i < count; i++) {
      this.#visit(depth);
      const at = fields + i * field.size;
      if (types.nameText(types.pointer(at + field.name)) === '_') {
        continue;
      }
      const fieldOffset = types.word(at + field.offset) / 2 ** types.layout.fieldOffsetShift;
      this.type(types.pointer(at + field.type), offset + Math.floor(fieldOffset), depth + 1);
    }
  }
}
