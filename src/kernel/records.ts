import type { Enums, NumberConstant, StructFields, WideConstant } from '../../build/record-names.ts';
import { EXIT, messageOf, UserError } from '../base/errors.ts';
import { addon, type FieldLayout, type PerCpuContents, type RecordLayout, type Records } from './addon.ts';
import { objectPath } from './object-path.ts';

export type { NumberConstant } from '../../build/record-names.ts';

/** A struct of bpf/shared/, and its fields. */
export type Struct = keyof StructFields;
export type FieldOf<S extends Struct> = StructFields[S];

/** Values of a record's fields by name; fields left out are 0. */
export type RecordValues<S extends Struct> = Readonly<Partial<Record<FieldOf<S>, number | bigint>>>;

/** Values of a struct that is a member of another. */
type MemberValues<P extends string, S extends Struct> = Readonly<
  Partial<Record<`${P}.${FieldOf<S>}`, number | bigint>>
>;

let known: Records | undefined;

/** Read from the object that carries the types of bpf/shared/, when they are first asked for. */
function records(): Records {
  known ??= readFrom(objectPath('records'));
  return known;
}

function readFrom(path: string): Records {
  const { readRecords } = addon;
  try {
    return readRecords(path);
  } catch (error) {
    const message = `The addon and the BPF programs do not match: ${messageOf(error)}; run npm run setup.`;
    throw new UserError(message, EXIT.cannotObserve, { cause: error });
  }
}

function layoutOf(struct: string): RecordLayout {
  const layout = records().structs[struct];
  if (layout === undefined) {
    throw new TypeError(`bpf/shared/ declares no struct ${struct}`);
  }
  return layout;
}

function fieldOf(struct: string, { fields }: RecordLayout, name: string): FieldLayout {
  const field = fields[name];
  if (field === undefined) {
    throw new TypeError(`struct ${struct} of bpf/shared/ has no field ${name}`);
  }
  return field;
}

/** Where a field of a struct of bpf/shared/ begins. */
export function fieldOffset<S extends Struct>(struct: S, field: FieldOf<S>): number {
  return fieldOf(struct, layoutOf(struct), field).offset;
}

let constants: ReadonlyMap<string, number | bigint> | undefined;

function constant(name: string): number | bigint {
  constants ??= new Map(Object.values(records().enums).flatMap((values) => Object.entries(values)));
  const value = constants.get(name);
  if (value === undefined) {
    throw new TypeError(`bpf/shared/ declares no enumerator ${name}`);
  }
  return value;
}

/** An enumerator of bpf/shared/. */
export function recordConstant(name: NumberConstant): number {
  const value = constant(name);
  if (typeof value !== 'number') {
    throw new TypeError(`no number holds ${name} of bpf/shared/`);
  }
  return value;
}

/** An enumerator of bpf/shared/ that a number cannot hold exactly. */
export function wideRecordConstant(name: WideConstant): bigint {
  return BigInt(constant(name));
}

/** The enumerators of an enum of bpf/shared/, by name. */
export function recordEnum<E extends keyof Enums>(name: E): Readonly<Record<Enums[E], number>> {
  const values = records().enums[name];
  if (values === undefined) {
    throw new TypeError(`bpf/shared/ declares no enum ${name}`);
  }
  if (Object.values(values).some((value) => typeof value !== 'number')) {
    throw new TypeError(`no numbers hold enum ${name} of bpf/shared/`);
  }
  return values as Readonly<Record<Enums[E], number>>;
}

/** The type checker sees names that are written out; those that an object has besides are only seen here. */
function valuesOf(values: object): [string, number | bigint][] {
  return Object.entries(values);
}

/** Values of a struct of type `struct` that is the member `path` of another one: under their paths there. */
export function member<P extends string, S extends Struct>(
  path: P,
  struct: S,
  values: RecordValues<S>,
): MemberValues<P, S> {
  const layout = layoutOf(struct);
  const entries = valuesOf(values).map(([name, value]) => {
    fieldOf(struct, layout, name);
    return [`${path}.${name}`, value];
  });
  return Object.fromEntries(entries) as MemberValues<P, S>;
}

/** Encodes records of one struct, one after the other, as the kernel side lays them out. */
export function encodeRecords<S extends Struct>(struct: S, records: readonly RecordValues<S>[]): Buffer {
  const layout = layoutOf(struct);
  const { size } = layout;
  const buffer = Buffer.alloc(size * records.length);
  records.forEach((values, i) => {
    for (const [name, value] of valuesOf(values)) {
      const field = fieldOf(struct, layout, name);
      writeInteger(buffer, i * size + field.offset, field.size, BigInt(value));
    }
  });
  return buffer;
}

/** A variable of 32 bits. */
export function encodeWord(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function writeInteger(buffer: Buffer, offset: number, size: number, value: bigint): void {
  const unsigned = BigInt.asUintN(8 * size, value);
  if (size === 8) {
    buffer.writeBigUInt64LE(unsigned, offset);
  } else {
    buffer.writeUIntLE(Number(unsigned), offset, size);
  }
}

/** An unsigned integer as a number (exact up to 2^53). Two halves: a bigint would be an object for each. */
function readInteger(buffer: Buffer, at: number, size: number): number {
  if (size !== 8) {
    return buffer.readUIntLE(at, size);
  }
  return buffer.readUInt32LE(at + 4) * 2 ** 32 + buffer.readUInt32LE(at);
}

/** A field of a record whose place is known: for what is read thousands of times. */
export class FieldReader {
  readonly #offset: number;
  readonly #size: number;
  readonly #count: number;

  constructor({ offset, size, count }: FieldLayout) {
    this.#offset = offset;
    this.#size = size;
    this.#count = count;
  }

  /** As RecordReader.number(). */
  number(buffer: Buffer, start: number, index = 0): number {
    return readInteger(buffer, this.#place(start, index), this.#size);
  }

  /** Adds an array's elements, one by one. */
  addTo(sums: number[], buffer: Buffer, start: number): void {
    for (let i = 0; i < this.#count; i++) {
      sums[i] = (sums[i] ?? 0) + readInteger(buffer, this.#place(start, i), this.#size);
    }
  }

  /** All of an array's elements together. */
  total(buffer: Buffer, start: number): number {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      sum += readInteger(buffer, this.#place(start, i), this.#size);
    }
    return sum;
  }

  /** An array's bytes, where they are. */
  bytes(buffer: Buffer, start: number): Buffer {
    const at = this.#place(start, 0);
    return buffer.subarray(at, at + this.#count * this.#size);
  }

  #place(start: number, index: number): number {
    return start + this.#offset + index * this.#size;
  }
}

/** Reads fields of records in a buffer. */
export class RecordReader<S extends Struct> {
  readonly size: number;
  readonly #layout: RecordLayout;
  readonly #struct: S;

  constructor(struct: S) {
    this.#layout = layoutOf(struct);
    this.size = this.#layout.size;
    this.#struct = struct;
  }

  /** An unsigned field as a number (exact up to 2^53). `start` is the record's offset in the buffer. */
  number(buffer: Buffer, start: number, name: FieldOf<S>, index = 0): number {
    const { offset, size } = this.#field(name);
    return readInteger(buffer, start + offset + index * size, size);
  }

  /** The reader of one field. */
  field(name: FieldOf<S>): FieldReader {
    return new FieldReader(this.#field(name));
  }

  /** The same field of all CPUs, added up. @param element of the per-CPU map, by its place in the contents */
  sum({ values, cpus }: PerCpuContents, name: FieldOf<S>, index = 0, element = 0): number {
    let total = 0;
    for (let cpu = 0; cpu < cpus; cpu++) {
      total += this.number(values, (element * cpus + cpu) * this.size, name, index);
    }
    return total;
  }

  /** An unsigned 64-bit field. */
  bigint(buffer: Buffer, start: number, name: FieldOf<S>, index = 0): bigint {
    const { offset, size } = this.#field(name);
    return buffer.readBigUInt64LE(start + offset + index * size);
  }

  /** Where a field begins, from the record's start. */
  offset(name: FieldOf<S>): number {
    return this.#field(name).offset;
  }

  /** Bytes of a field, or of one element of an array field. */
  elementSize(name: FieldOf<S>): number {
    return this.#field(name).size;
  }

  /** Number of elements of an array field. */
  count(name: FieldOf<S>): number {
    return this.#field(name).count;
  }

  #field(name: FieldOf<S>): FieldLayout {
    return fieldOf(this.#struct, this.#layout, name);
  }
}
