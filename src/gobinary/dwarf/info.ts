import { BinaryError } from '../error.ts';
import { occurrences, Reader } from '../file/reader.ts';
import { type AttributeSpec, constantOf, FORM, skipForm } from './forms.ts';

/** A structure type as debug information describes it. Sizes and offsets in bytes. */
export interface DwarfStructure {
  readonly size: number;
  readonly members: ReadonlyMap<string, number>;
}

interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly AttributeSpec[];
}

interface Unit {
  readonly start: number;
  readonly end: number;
  readonly abbreviations: number;
}

const TAG = { member: 0x0d, structureType: 0x13 } as const;
const ATTRIBUTE = { name: 0x03, byteSize: 0x0b, memberLocation: 0x38 } as const;
const UNIT_TYPE_COMPILE = 1;
/** Far above what is real: bounds for tables made to waste time. A unit is a package; structures here have up to 50 members. */
const MAX_UNITS = 0x1_0000;
const MAX_OCCURRENCES = 4096;
const MAX_NAME = 256;
/** Attributes read or declared in all. */
const MAX_ATTRIBUTES = 100_000;

/**
 * The structure types in a Go program's debug information: DWARF 4 (Go 1.24 and older) or 5, 32-bit form.
 *
 * Nothing is parsed but what is asked for. The Go linker writes a type's name in place, as the first attribute of its entry
 * (src/cmd/internal/dwarf/dwarf.go, Go 1.17 to 1.27: DW_ABRV_STRUCTTYPE, DW_FORM_string), so an entry is found by
 * searching for the text of its name. It counts if the byte before the name is the code of such an abbreviation in the unit
 * at that place, and the entry and all its members can be read to their end. Units of other compilers may lie between.
 *
 * Source: DWARF Debugging Information Format, version 5, 7.5; version 4, 7.5.
 */
export class DebugInfo {
  readonly #info: Reader;
  readonly #abbrev: Reader;
  readonly #tables = new Map<number, ReadonlyMap<number, Abbreviation>>();
  #units: readonly Unit[] | undefined;
  #attributesLeft = MAX_ATTRIBUTES;

  constructor(info: Uint8Array, abbrev: Uint8Array) {
    this.#info = new Reader(info, 'The debug information');
    this.#abbrev = new Reader(abbrev, 'The abbreviations of the debug information');
  }

  /** The first structure type of exactly this name; undefined when there is none that can be read. */
  structure(name: string): DwarfStructure | undefined {
    for (const at of occurrences(this.#info.bytes, Buffer.from(`${name}\0`), MAX_OCCURRENCES)) {
      const unit = at === 0 ? undefined : this.#unitAt(at);
      if (unit === undefined) {
        continue;
      }
      try {
        const found = this.#structureAt(at - 1, unit);
        if (found !== undefined) {
          return found;
        }
      } catch (error) {
        if (!(error instanceof BinaryError)) {
          throw error;
        }
      }
    }
    return undefined;
  }

  #unitAt(offset: number): Unit | undefined {
    this.#units ??= this.#readUnits();
    let low = 0;
    let high = this.#units.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#units[middle]?.end ?? 0) <= offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const unit = this.#units[low];
    return unit !== undefined && offset > unit.start ? unit : undefined;
  }

  /** Unit headers, up to the first that cannot be followed; the last unit may be cut off. Units of other versions are passed over. */
  #readUnits(): Unit[] {
    const info = this.#info;
    const units: Unit[] = [];
    for (let at = 0, i = 0; at + 12 <= info.length && i < MAX_UNITS; i++) {
      const length = info.u32(at);
      const end = at + 4 + length;
      if (length < 8 || length >= 0xffff_fff0) {
        break;
      }
      const version = info.u16(at + 4);
      if (version === 4 && info.u8(at + 10) === 8) {
        units.push({ start: at + 11, end, abbreviations: info.u32(at + 6) });
      } else if (version === 5 && info.u8(at + 6) === UNIT_TYPE_COMPILE && info.u8(at + 7) === 8) {
        units.push({ start: at + 12, end, abbreviations: info.u32(at + 8) });
      }
      at = end;
    }
    return units;
  }

  #abbreviations(offset: number): ReadonlyMap<number, Abbreviation> {
    let table = this.#tables.get(offset);
    if (table === undefined) {
      this.#tables.set(offset, new Map());
      table = this.#readAbbreviations(offset);
      this.#tables.set(offset, table);
    }
    return table;
  }

  /** The entry at `at`, if it is a structure type whose name comes first. */
  #structureAt(at: number, unit: Unit): DwarfStructure | undefined {
    const abbreviations = this.#abbreviations(unit.abbreviations);
    const code = this.#info.u8(at);
    const self = abbreviations.get(code);
    const [first] = self?.attributes ?? [];
    if (code >= 0x80 || self?.tag !== TAG.structureType || !self.hasChildren) {
      return undefined;
    }
    if (first?.name !== ATTRIBUTE.name || first.form !== FORM.string) {
      return undefined;
    }
    let size: number | undefined;
    let next = this.#attributes(at + 1, self, (spec, value) => {
      if (spec.name === ATTRIBUTE.byteSize) {
        size = constantOf(this.#info, value, spec);
      }
    });
    const members = new Map<string, number>();
    for (;;) {
      const { value: code, next: start } = this.#info.uvarint(next);
      if (code === 0) {
        return size === undefined || next >= unit.end ? undefined : { size, members };
      }
      const member = abbreviations.get(code);
      if (member?.tag !== TAG.member || member.hasChildren) {
        return undefined;
      }
      let name: string | undefined;
      let offset: number | undefined;
      next = this.#attributes(start, member, (spec, value) => {
        if (spec.name === ATTRIBUTE.name && spec.form === FORM.string) {
          name = this.#info.cstring(value, MAX_NAME);
        }
        if (spec.name === ATTRIBUTE.memberLocation) {
          offset = constantOf(this.#info, value, spec);
        }
      });
      if (name === undefined || offset === undefined) {
        return undefined;
      }
      members.set(name, offset);
    }
  }

  /** Passes over an entry's attributes and returns where they end. */
  #attributes(
    start: number,
    { attributes }: Abbreviation,
    visit: (spec: AttributeSpec, at: number) => void,
  ): number {
    let at = start;
    this.#spend();
    for (const spec of attributes) {
      this.#spend();
      visit(spec, at);
      at = skipForm(this.#info, at, spec, MAX_NAME);
    }
    return at;
  }

  /** The table at `offset`, by code: DWARF 5, 7.5.3. */
  #readAbbreviations(offset: number): Map<number, Abbreviation> {
    const table = new Map<number, Abbreviation>();
    let at = offset;
    const number = (): number => {
      const { value, next } = this.#abbrev.uvarint(at);
      at = next;
      return value;
    };
    for (let code = number(); code !== 0; code = number()) {
      const abbreviationTag = number();
      const hasChildren = this.#abbrev.u8(at++) !== 0;
      const attributes: AttributeSpec[] = [];
      for (;;) {
        this.#spend();
        const name = number();
        const attributeForm = number();
        if (name === 0 && attributeForm === 0) {
          break;
        }
        const value = attributeForm === FORM.implicitConst ? number() : 0;
        attributes.push({ name, form: attributeForm, value });
      }
      table.set(code, { tag: abbreviationTag, hasChildren, attributes });
    }
    return table;
  }

  #spend(): void {
    if (--this.#attributesLeft < 0) {
      throw new BinaryError('malformed', 'The debug information has far too many attributes.');
    }
  }
}
