import type { Table } from '../file/reader.ts';

/** The largest generated functions have some hundred thousand steps. */
const MAX_STEPS = 0x10_0000;

/** Tables are read in pieces of this many bytes; most are shorter. */
const PIECE = 256;

/*
 * A pc-value table: how a number (stack depth, line, file, inline node) changes along a function's code.
 *
 * Shape: pairs of uvarints. The first is the change of the value, zig-zag coded; the second is the number of bytes of
 * code for which the new value holds. The value starts at -1, and a zero value change anywhere but in the first
 * pair ends the table. Source: src/runtime/symtab.go (pcvalue, step), unchanged since Go 1.2; x86-64 has quantum 1.
 */

/** Advances over one pair; returns false at the end of the table or where its bytes are not a table. */
class Cursor {
  readonly #table: Table;
  /** The piece that starts at offset #start of the table. */
  #piece: Uint8Array = new Uint8Array();
  #start = 0;
  #at: number;
  #first = true;
  #steps = 0;
  value = -1;
  pc: number;

  constructor(table: Table, offset: number, pc: number) {
    this.#table = table;
    this.#at = offset;
    this.pc = pc;
  }

  #byte(): number | undefined {
    const byte = this.#piece[this.#at - this.#start];
    if (byte !== undefined) {
      this.#at++;
      return byte;
    }
    const rest = this.#table.length - this.#at;
    if (!(rest > 0)) {
      return undefined;
    }
    this.#piece = this.#table.slice(this.#at, Math.min(rest, PIECE));
    this.#start = this.#at++;
    return this.#piece[0];
  }

  #uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.#byte();
      if (byte === undefined) {
        return 0;
      }
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value >>> 0;
      }
    }
    return 0;
  }

  step(): boolean {
    const change = this.#uvarint();
    if ((change === 0 && !this.#first) || ++this.#steps > MAX_STEPS) {
      return false;
    }
    this.#first = false;
    this.value += (change & 1) !== 0 ? ~(change >>> 1) : change >>> 1;
    const width = this.#uvarint();
    this.pc += width;
    return width > 0;
  }
}

/**
 * The value at `pc` in the table at `offset` of `pctab`, for a function that starts at `entry`; undefined when the table
 * says nothing about it. Each step moves forward by at least a byte, so the work is bounded by pc - entry.
 */
export function pcValue(pctab: Table, offset: number, entry: number, pc: number): number | undefined {
  if (offset === 0) {
    return undefined;
  }
  const cursor = new Cursor(pctab, offset, entry);
  while (cursor.step()) {
    if (pc < cursor.pc) {
      return cursor.value;
    }
  }
  return undefined;
}

/** Where the table ends: the end of the function's code without padding. At most `limit`, which it also is without a table. */
export function pcValueEnd(pctab: Table, offset: number, entry: number, limit: number): number {
  if (offset === 0) {
    return limit;
  }
  const cursor = new Cursor(pctab, offset, entry);
  while (cursor.pc < limit && cursor.step()) {}
  return cursor.pc > entry ? Math.min(cursor.pc, limit) : limit;
}

/** Every value the table has up to the address `end`, each once. */
export function pcValues(pctab: Table, offset: number, entry: number, end: number): Set<number> {
  const values = new Set<number>();
  if (offset === 0) {
    return values;
  }
  const cursor = new Cursor(pctab, offset, entry);
  while (cursor.pc < end && cursor.step()) {
    values.add(cursor.value);
  }
  return values;
}
