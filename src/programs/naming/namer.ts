import { BinaryError, type GoBinary } from '../../gobinary/index.ts';
import { type SourcePosition, UNKNOWN_NAME } from '../../model/position.ts';
import type { CallSiteStats } from '../../model/snapshot.ts';
import type { ProbePlan } from '../../plan/lookups/plan.ts';
import type { AggregateName } from '../readers/aggregate.ts';
import type { OwnTypes } from './own-types.ts';
import type { RuntimeTypes } from './runtime-types.ts';

/** A map type by its name, and what it is of where it was declared. */
type TypeName = Pick<CallSiteStats, 'type' | 'underlyingType'>;

/** Gives call sites and types their names. Answers are kept: an observation asks for the same ones every time. */
export class Namer {
  readonly #binary: GoBinary;
  readonly #plan: ProbePlan;
  readonly #runtimeTypes: RuntimeTypes;
  readonly #ownTypes: OwnTypes;
  readonly #callSites = new Map<number, SourcePosition>();
  /** Equal ones are the same object. */
  readonly #positions = new Map<string, SourcePosition>();
  readonly #types = new Map<string, TypeName>();
  /** Something was read of the binary since the last call of `settle`. */
  #hasRead = false;

  constructor(binary: GoBinary, plan: ProbePlan, runtimeTypes: RuntimeTypes, ownTypes: OwnTypes) {
    this.#binary = binary;
    this.#plan = plan;
    this.#runtimeTypes = runtimeTypes;
    this.#ownTypes = ownTypes;
  }

  /** The source position that a return address belongs to, with inlining undone. Equal positions are one object. */
  callSite(returnAddress: number): SourcePosition {
    const known = this.#callSites.get(returnAddress);
    if (known !== undefined) {
      return known;
    }
    // The call instruction ends where the return address is; what is there may be another line already.
    const frame = this.#read(() => this.#binary.frames(returnAddress - 1)[0]);
    const found = frame
      ? { function: printedName(frame.function), file: frame.file, line: frame.line }
      : { function: UNKNOWN_NAME, file: UNKNOWN_NAME, line: 0 };
    const key = JSON.stringify(found);
    const position = this.#positions.get(key) ?? found;
    this.#positions.set(key, position);
    this.#callSites.set(returnAddress, position);
    return position;
  }

  type(aggregate: Pick<AggregateName, 'type' | 'runtimeType'>): string {
    return this.mapType(aggregate).type;
  }

  /** The name of a map type, and what it is of where it was declared. */
  mapType(aggregate: Pick<AggregateName, 'type' | 'runtimeType'>): TypeName {
    const key = `${aggregate.runtimeType}${aggregate.type}`;
    let name = this.#types.get(key);
    if (name === undefined) {
      name = this.#typeName(aggregate);
      this.#types.set(key, name);
    }
    return name;
  }

  #typeName({ type, runtimeType }: Pick<AggregateName, 'type' | 'runtimeType'>): TypeName {
    if (runtimeType) {
      return { type: this.#runtimeTypes.name(type) ?? UNKNOWN_NAME };
    }
    const found = this.#read(() => this.#binary.mapTypeAt(this.#ownTypes(type)));
    if (found === undefined) {
      return { type: UNKNOWN_NAME };
    }
    const { name, isDeclared, keyName, elemName } = found;
    return { type: name, ...(isDeclared && { underlyingType: `map[${keyName}]${elemName}` }) };
  }

  /** A file that can no longer be read, or leads astray, costs names. */
  #read<T>(ask: () => T): T | undefined {
    this.#hasRead = true;
    try {
      return ask();
    } catch (error) {
      if (error instanceof BinaryError) {
        return undefined;
      }
      throw error;
    }
  }

  /** Gives back the memory of what was read for names: they are kept, and few come later. */
  settle(): void {
    if (this.#hasRead) {
      this.#hasRead = false;
      this.#binary.forget();
    }
  }

  /** The lookup function without its package. */
  variant({ functionIndex }: Pick<AggregateName, 'functionIndex'>): string {
    return this.#plan.functions[functionIndex]?.name.replace(/^runtime\./, '') ?? UNKNOWN_NAME;
  }
}

/**
 * A function's name as Go prints it in tracebacks: the shapes that a generic function was compiled for are left out
 * (runtime.funcNameForPrint). One source line is one call site, however many shapes it has.
 */
function printedName(name: string): string {
  const open = name.indexOf('[');
  const close = name.lastIndexOf(']');
  return open < 0 || close < open ? name : `${name.slice(0, open)}[...]${name.slice(close + 1)}`;
}
