import { addon, type FieldLayout, type PerCpuContents, type RecordLayout } from './addon.ts';

/** Values of a record's fields by name; fields left out are 0. */
export type RecordValues = Readonly<Record<string, number | bigint>>;

function layoutOf(struct: string): RecordLayout {
  const layout = addon.records.structs[struct];
  if (layout === undefined) throw new TypeError(`the native addon knows no record ${struct}`);
  return layout;
}

/** Where a field of a struct of bpf/records.h begins. */
export function fieldOffset(struct: string, field: string): number {
  const found = layoutOf(struct).fields[field];
  if (found === undefined) throw new TypeError(`the record ${struct} has no field ${field}`);
  return found.offset;
}

/** A constant or enumerator of bpf/records.h. */
export function recordConstant(name: string): number {
  const { constants, enums } = addon.records;
  const value = constants[name] ?? Object.values(enums).find((values) => name in values)?.[name];
  if (value === undefined) throw new TypeError(`the native addon knows no constant ${name}`);
  return value;
}

/** A constant of bpf/records.h that a number cannot hold exactly. */
export function wideRecordConstant(name: string): bigint {
  const value = addon.records.wideConstants[name];
  if (value === undefined) throw new TypeError(`the native addon knows no wide constant ${name}`);
  return value;
}

/** The enumerators of an enum of bpf/records.h, by name. */
export function recordEnum(name: string): Readonly<Record<string, number>> {
  const values = addon.records.enums[name];
  if (values === undefined) throw new TypeError(`the native addon knows no enum ${name}`);
  return values;
}

/** Encodes records of one struct, one after the other, as the kernel side lays them out. */
export function encodeRecords(struct: string, records: readonly RecordValues[]): Buffer {
  const { size, fields } = layoutOf(struct);
  const buffer = Buffer.alloc(size * records.length);
  records.forEach((values, i) => {
    for (const [name, value] of Object.entries(values)) {
      const field = fields[name];
      if (field === undefined) throw new TypeError(`the record ${struct} has no field ${name}`);
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
  if (size === 8) buffer.writeBigUInt64LE(unsigned, offset);
  else buffer.writeUIntLE(Number(unsigned), offset, size);
}

/** An unsigned integer as a number (exact up to 2^53). Two halves: a bigint would be an object for each. */
function readInteger(buffer: Buffer, at: number, size: number): number {
  if (size !== 8) return buffer.readUIntLE(at, size);
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
  number(buffer: Buffer, start: number): number {
    return readInteger(buffer, this.#place(start, 0), this.#size);
  }

  /** Adds an array's elements, one by one. */
  addTo(sums: number[], buffer: Buffer, start: number): void {
    for (let i = 0; i < this.#count; i++)
      sums[i] = (sums[i] ?? 0) + readInteger(buffer, this.#place(start, i), this.#size);
  }

  /** All of an array's elements together. */
  total(buffer: Buffer, start: number): number {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) sum += readInteger(buffer, this.#place(start, i), this.#size);
    return sum;
  }

  /** Sets those bits that are set in an array of 64-bit words, of which most are zero. */
  uniteWith(words: bigint[], buffer: Buffer, start: number): void {
    for (let i = 0; i < this.#count; i++) {
      const at = this.#place(start, i);
      if (readInteger(buffer, at, this.#size) !== 0) words[i] = (words[i] ?? 0n) | buffer.readBigUInt64LE(at);
    }
  }

  #place(start: number, index: number): number {
    return start + this.#offset + index * this.#size;
  }
}

/** Reads fields of records in a buffer. */
export class RecordReader {
  readonly size: number;
  readonly #fields: RecordLayout['fields'];
  readonly #struct: string;

  constructor(struct: string) {
    const layout = layoutOf(struct);
    this.size = layout.size;
    this.#fields = layout.fields;
    this.#struct = struct;
  }

  /** An unsigned field as a number (exact up to 2^53). `start` is the record's offset in the buffer. */
  number(buffer: Buffer, start: number, name: string, index = 0): number {
    const { offset, size } = this.#field(name);
    return readInteger(buffer, start + offset + index * size, size);
  }

  /** The reader of one field. */
  field(name: string): FieldReader {
    return new FieldReader(this.#field(name));
  }

  /** The same field of all CPUs, added up. @param element of the per-CPU map, by its place in the contents */
  sum({ values, cpus }: PerCpuContents, name: string, index = 0, element = 0): number {
    let total = 0;
    for (let cpu = 0; cpu < cpus; cpu++)
      total += this.number(values, (element * cpus + cpu) * this.size, name, index);
    return total;
  }

  /** An unsigned 64-bit field. */
  bigint(buffer: Buffer, start: number, name: string, index = 0): bigint {
    const { offset, size } = this.#field(name);
    return buffer.readBigUInt64LE(start + offset + index * size);
  }

  /** Where a field begins, from the record's start. */
  offset(name: string): number {
    return this.#field(name).offset;
  }

  /** Bytes of a field, or of one element of an array field. */
  elementSize(name: string): number {
    return this.#field(name).size;
  }

  /** Number of elements of an array field. */
  count(name: string): number {
    return this.#field(name).count;
  }

  #field(name: string) {
    const field = this.#fields[name];
    if (field === undefined) throw new TypeError(`the record ${this.#struct} has no field ${name}`);
    return field;
  }
}
