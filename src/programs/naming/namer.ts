import { BinaryError, type GoBinary } from '../../gobinary/index.ts';
import { COUNT_BOUNDS, distribution, highestBoundInUse, RATIO_BOUNDS } from '../../model/buckets.ts';
import type { Distribution } from '../../model/distribution.ts';
import { type SourcePosition, UNKNOWN_NAME } from '../../model/position.ts';
import { cellsInUse, estimateDistinct } from '../../model/sketch.ts';
import type { CallSiteStats } from '../../model/snapshot.ts';
import type { ProbePlan } from '../../plan/lookups/plan.ts';
import type { Aggregate } from '../readers/aggregates.ts';
import type { RuntimeTypes } from './runtime-types.ts';

/** A map type by its name, and what it is of where it was declared. */
type TypeName = Pick<CallSiteStats, 'type' | 'underlyingType'>;

/** Gives call sites and types their names. Answers are kept: an observation asks for the same ones every time. */
export class Namer {
  readonly #binary: GoBinary;
  readonly #plan: ProbePlan;
  readonly #runtimeTypes: RuntimeTypes;
  readonly #callSites = new Map<number, SourcePosition>();
  readonly #types = new Map<string, TypeName>();

  constructor(binary: GoBinary, plan: ProbePlan, runtimeTypes: RuntimeTypes) {
    this.#binary = binary;
    this.#plan = plan;
    this.#runtimeTypes = runtimeTypes;
  }

  /** The source position that a return address belongs to, with inlining undone. */
  callSite(returnAddress: number): SourcePosition {
    const known = this.#callSites.get(returnAddress);
    if (known !== undefined) {
      return known;
    }
    // The call instruction ends where the return address is; what is there may be another line already.
    const frame = this.#read(() => this.#binary.frames(returnAddress - 1)[0]);
    const position = frame
      ? { function: printedName(frame.function), file: frame.file, line: frame.line }
      : { function: UNKNOWN_NAME, file: UNKNOWN_NAME, line: 0 };
    this.#callSites.set(returnAddress, position);
    return position;
  }

  type(aggregate: Pick<Aggregate, 'type' | 'runtimeType'>): string {
    return this.#typeOf(aggregate).type;
  }

  #typeOf(aggregate: Pick<Aggregate, 'type' | 'runtimeType'>): TypeName {
    const key = `${aggregate.runtimeType}${aggregate.type}`;
    let name = this.#types.get(key);
    if (name === undefined) {
      name = this.#typeName(aggregate);
      this.#types.set(key, name);
    }
    return name;
  }

  #typeName({ type, runtimeType }: Pick<Aggregate, 'type' | 'runtimeType'>): TypeName {
    if (runtimeType) {
      return { type: this.#runtimeTypes.name(type) ?? UNKNOWN_NAME };
    }
    const found = this.#read(() => this.#binary.mapTypeAt(type));
    if (found === undefined) {
      return { type: UNKNOWN_NAME };
    }
    const { name, isDeclared, keyName, elemName } = found;
    return { type: name, ...(isDeclared && { underlyingType: `map[${keyName}]${elemName}` }) };
  }

  /** A file that can no longer be read, or leads astray, costs names. */
  #read<T>(ask: () => T): T | undefined {
    try {
      return ask();
    } catch (error) {
      if (error instanceof BinaryError) {
        return undefined;
      }
      throw error;
    }
  }

  /** One aggregate, with the estimate of its lookups, as the rest of the program sees it. */
  stats(aggregate: Aggregate, estimatedLookups: number): CallSiteStats {
    return {
      callSite: this.callSite(aggregate.caller),
      variant: this.#plan.functions[aggregate.functionIndex]?.name.replace(/^runtime\./, '') ?? UNKNOWN_NAME,
      ...this.#typeOf(aggregate),
      hit: aggregate.hit,
      lookups: aggregate.lookups,
      estimatedLookups,
      probeLength: distribution(
        COUNT_BOUNDS,
        aggregate.probeLength,
        aggregate.probeLengthSum,
        aggregate.probeLengthMax,
      ),
      keyComparisons: distribution(
        COUNT_BOUNDS,
        aggregate.keyComparisons,
        aggregate.keyComparisonsSum,
        aggregate.keyComparisonsMax,
      ),
      homePosition: ratios(
        aggregate.homePosition.slice(0, RATIO_BOUNDS.length + 1),
        aggregate.homePositionSum,
      ),
      loadFactor: ratios(aggregate.loadFactor, aggregate.loadFactorSum),
      growing: aggregate.growing,
      inexact: aggregate.inexact.reduce((sum, n) => sum + n, 0),
      largest: aggregate.largest,
      latest: aggregate.latest,
      mapsAtLeast: cellsInUse(aggregate.mapsSketch),
      estimatedMaps: estimateDistinct(aggregate.mapsSketch),
      mapsSketch: aggregate.mapsSketch,
    };
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

function ratios(counts: number[], sum: number): Distribution {
  return distribution(RATIO_BOUNDS, counts, sum, highestBoundInUse(RATIO_BOUNDS, counts));
}
