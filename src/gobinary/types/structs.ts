import type { GoBinary } from '../binary.ts';
import { BinaryError } from '../error.ts';
import { KIND_LAYOUT, KIND_MASK, TYPE_FLAG, TYPE_LAYOUT, UNCOMMON_LAYOUT } from '../go/layouts.ts';
import { KIND, type TypeHeader, TypeTable } from './type-table.ts';

/** A field of a structure type. Offset and size in bytes. */
export interface StructField {
  readonly offset: number;
  readonly size: number;
  /** reflect.Kind of its type. */
  readonly kind: number;
  /** Address of its type's descriptor. */
  readonly type: number;
}

/** A structure type as the program's own type descriptor has it. */
export interface StructType {
  readonly address: number;
  /** As reflect prints it, such as "trace.recordingSpan"; undefined for a type without a name. */
  readonly name: string | undefined;
  readonly size: number;
  readonly fields: ReadonlyMap<string, StructField>;
}

/** No structure has nearly as many fields; stops descriptors made to waste time. */
const MAX_FIELDS = 4096;

/**
 * The structure types of a program, by name and field: from the type descriptors that the linker keeps for every type that
 * may come into an interface, also in stripped programs. Source of the layout: layouts.ts.
 */
export class Structs {
  readonly #binary: GoBinary;
  readonly #table: TypeTable;
  /** Addresses of the descriptors of named structures, by package path, a dot, and name. Several may share one. */
  #named: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(binary: GoBinary) {
    this.#binary = binary;
    this.#table = new TypeTable(binary);
  }

  /**
   * The structure type that package `path` declares as `name`, undefined when the program has no descriptor of it. Types
   * declared in functions may share both with it: then none is returned.
   */
  named(path: string, name: string): StructType | undefined {
    this.#named ??= this.#index();
    const [address, another] = this.#named.get(`${path}.${name}`) ?? [];
    return address === undefined || another !== undefined ? undefined : this.at(address);
  }

  /** The structure type whose descriptor is at an address; undefined when there is another or none. */
  at(address: number): StructType | undefined {
    return orUndefined(() => {
      if (!this.#table.isStatic(address)) {
        return undefined;
      }
      const type = this.#table.header(address);
      if (type.kind !== KIND.struct) {
        return undefined;
      }
      return { address, name: this.#table.name(type), size: type.size, fields: this.#fields(type) };
    });
  }

  /** What a pointer points to, or a slice consists of: the address of that type's descriptor. */
  elementOf(field: StructField): number | undefined {
    if (field.kind !== KIND.pointer && field.kind !== KIND.slice) {
      return undefined;
    }
    const { elem } = field.kind === KIND.pointer ? KIND_LAYOUT.pointer : KIND_LAYOUT.slice;
    return orUndefined(() => this.#table.pointer(field.type + elem));
  }

  #fields({ address, size }: TypeHeader): Map<string, StructField> {
    const types = this.#table;
    const start = types.pointer(address + KIND_LAYOUT.struct.fields);
    const count = types.word(address + KIND_LAYOUT.struct.fieldCount);
    if (count > MAX_FIELDS || !types.spend(count)) {
      throw new BinaryError('malformed', `A structure type has ${count} fields.`);
    }
    const fields = new Map<string, StructField>();
    for (let i = 0; i < count; i++) {
      const at = start + i * KIND_LAYOUT.field.size;
      const type = types.pointer(at + KIND_LAYOUT.field.type);
      const word = types.word(at + KIND_LAYOUT.field.offset);
      const offset = Math.floor(word / 2 ** types.layout.fieldOffsetShift);
      const header = types.header(type);
      if (offset + header.size > size) {
        throw new BinaryError('malformed', 'A structure type has a field that is not within it.');
      }
      const name = types.nameText(types.pointer(at + KIND_LAYOUT.field.name));
      fields.set(name, { offset, size: header.size, kind: header.kind, type });
    }
    return fields;
  }

  #index(): Map<string, number[]> {
    const { start, end } = this.#binary.types;
    const bytes = this.#binary.image.read(start, end - start);
    const named = new Map<string, number[]>();
    for (let offset = (8 - (start % 8)) % 8; offset + KIND_LAYOUT.struct.size <= bytes.length; offset += 8) {
      if (((bytes[offset + TYPE_LAYOUT.kind] ?? 0) & KIND_MASK) !== KIND.struct) {
        continue;
      }
      const flags = TYPE_FLAG.named | TYPE_FLAG.uncommon;
      if (((bytes[offset + TYPE_LAYOUT.tflag] ?? 0) & flags) !== flags) {
        continue;
      }
      const name = orUndefined(() => this.#qualifiedName(start + offset));
      if (name !== undefined) {
        named.set(name, [...(named.get(name) ?? []), start + offset]);
      }
    }
    return named;
  }

  /** The package path and name of what looks like a descriptor of a named structure, if all that is read of it agrees. */
  #qualifiedName(address: number): string | undefined {
    const types = this.#table;
    const type = types.header(address);
    const { size, align, fieldAlign, ptrBytes, str } = type;
    if (![1, 2, 4, 8].includes(align) || fieldAlign !== align || size % align !== 0) {
      return undefined;
    }
    if (ptrBytes > size || ptrBytes % 8 !== 0 || str < 0) {
      return undefined;
    }
    const count = types.word(address + KIND_LAYOUT.struct.fieldCount);
    // The length and the capacity of a slice that the compiler wrote.
    if (count > MAX_FIELDS || types.word(address + KIND_LAYOUT.struct.fieldCount + 8) !== count) {
      return undefined;
    }
    const name = types.name(type);
    const at = address + KIND_LAYOUT.struct.size + UNCOMMON_LAYOUT.pkgPath;
    const path = types.nameAtOffset(this.#binary.image.i32(at));
    const dot = name?.lastIndexOf('.') ?? -1;
    return name === undefined || dot < 0 || path === '' ? undefined : `${path}.${name.slice(dot + 1)}`;
  }
}

/** What a descriptor holds, or undefined when it leads outside the file. */
function orUndefined<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BinaryError) {
      return undefined;
    }
    throw error;
  }
}
