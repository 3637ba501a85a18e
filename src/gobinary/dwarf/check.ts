import type { GoBinary } from '../binary.ts';
import { BinaryError } from '../error.ts';
import { type ElfFile, readElf } from '../file/elf.ts';
import { type FileBytes, withFile } from '../file/file.ts';
import { layoutFor } from '../go/layouts.ts';
import { goroutineStructures, runtimeStructures } from '../go/runtime-structures.ts';
import { DebugInfo } from './info.ts';
import { readDebugSection } from './sections.ts';

/** A field of a runtime structure that is elsewhere than mapscope's table says. Offsets in bytes. */
export interface DwarfFinding {
  readonly structure: string;
  readonly field: string;
  /** Where the table for this Go version has it. */
  readonly table: number;
  /** Where the debug information has it; undefined when the structure has no such field. */
  readonly dwarf: number | undefined;
}

/** What the comparison of a program's debug information with the tables came to. */
export type DwarfCheck =
  | { readonly state: 'none' }
  | { readonly state: 'checked'; readonly structures: readonly string[]; readonly findings: DwarfFinding[] }
  | { readonly state: 'not checked'; readonly reason: string };

/**
 * How much of the uncompressed debug information is looked at. The runtime's unit is near the front and these types come
 * first in it: within the first 1.1 MB in every program tried, of Go 1.17 to 1.27 and up to 52 MB. Uncompressing takes nearly
 * all of the time, about 3.5 ms a MiB here, so this holds the check below 50 ms however large the program is.
 */
const INFO_LIMIT = 0x80_0000;
const ABBREV_LIMIT = 0x10_0000;

type Tables = Pick<GoBinary, 'path' | 'version' | 'mapImplementation'>;

/**
 * Compares the offsets that mapscope uses with the program's own debug information. Returns the differences, which should be
 * none; undefined when there is no debug information to compare with. Never throws for what is in the file.
 */
export function checkAgainstDwarf(binary: GoBinary): DwarfFinding[] | undefined {
  const check = compareWithDwarf(binary);
  return check.state === 'checked' ? check.findings : undefined;
}

/** The same, with what was compared, or why it was not. */
export function compareWithDwarf(binary: GoBinary): DwarfCheck {
  return orReason(() =>
    withFile(binary.path, (file) => compareFile(file, readElf(file), binary), binary.name),
  );
}

/** The same for the bytes of a file. */
export function compareBytesWithDwarf(file: FileBytes, binary: Tables): DwarfCheck {
  return orReason(() => compareFile(file, readElf(file), binary));
}

function orReason(compare: () => DwarfCheck): DwarfCheck {
  try {
    return compare();
  } catch (error) {
    if (!(error instanceof BinaryError)) {
      throw error;
    }
    return { state: 'not checked', reason: error.message };
  }
}

function compareFile(file: FileBytes, elf: ElfFile, { version, mapImplementation }: Tables): DwarfCheck {
  const info = readDebugSection(file, elf, 'info', INFO_LIMIT);
  const abbrev = readDebugSection(file, elf, 'abbrev', ABBREV_LIMIT);
  if (info === undefined || abbrev === undefined) {
    return { state: 'none' };
  }
  const layout = layoutFor(version.minor);
  if (layout === undefined) {
    throw new TypeError(`No layout for ${version.text}`);
  }
  const dwarf = new DebugInfo(info.bytes, abbrev.bytes);
  const structures: string[] = [];
  const findings: DwarfFinding[] = [];
  const wanted = [...runtimeStructures(layout, mapImplementation), ...goroutineStructures(version.minor)];
  for (const { name, fields } of wanted) {
    const found = dwarf.structure(name);
    if (found === undefined) {
      continue;
    }
    structures.push(name);
    for (const [field, table] of Object.entries(fields)) {
      const actual = found.members.get(field);
      if (actual !== table) {
        findings.push({ structure: name, field, table, dwarf: actual });
      }
    }
  }
  if (structures.length > 0) {
    return { state: 'checked', structures, findings };
  }
  const where = info.whole ? 'it' : `its first ${INFO_LIMIT / 0x10_0000} MiB`;
  return { state: 'not checked', reason: `None of the runtime's structures is in ${where}.` };
}

/** A finding in words, to follow "its". */
export function describeFinding({ structure, field, table, dwarf }: DwarfFinding): string {
  return dwarf === undefined
    ? `${structure} has no field ${field} by its debug information, but one at offset ${table} by mapscope's table`
    : `${structure}.${field} is at offset ${dwarf} by its debug information, but at ${table} by mapscope's table`;
}
