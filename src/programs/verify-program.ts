import type { MapType } from '../gobinary/index.ts';
import type { AttachMethod, ProbeObject } from '../kernel/addon.ts';
import { encodeRecords, recordConstant } from '../kernel/records.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import type { ReturnSite } from '../plan/lookups/returns.ts';
import { givesZeroValue } from '../plan/lookups/zero-value.ts';
import type { MappedBinary } from '../target/mapped.ts';
import { decoderData } from './data/decoder.ts';
import { inProcess } from './data/in-process.ts';
import { possibleCpus, scratchRoom } from './data/room.ts';
import { addressKeys, type MapContents } from './data/type-tables.ts';
import { atLeastOne } from './objects.ts';
import type { Preparation } from './preparation/preparation.ts';
import { TargetProgram } from './target-program.ts';

export interface VerifyProgramOptions {
  readonly target: MappedBinary;
  readonly preparation: Preparation;
  readonly returns: readonly ReturnSite[];
  /** Link-time address of runtime.zeroVal, where it is known. */
  readonly zeroValue: number | undefined;
  /** Lookups to be checked of each function. */
  readonly lookups: number;
  /** Default: what the kernel supports best. */
  readonly attachMethod?: AttachMethod | undefined;
  /** CPUs that the machine may have. Default: this machine's. */
  readonly cpus?: number;
}

/** The verifying program, loaded for one target: attached to some of its lookup functions at a time. */
export class VerifyProgram {
  readonly #program: TargetProgram;
  readonly #options: VerifyProgramOptions;
  #generation = 0;

  private constructor(program: TargetProgram, options: VerifyProgramOptions) {
    this.#program = program;
    this.#options = options;
  }

  /** What the process uses of another file instead: see MappedBinary. */
  get elsewhere(): ReadonlyMap<number, number> {
    return this.#options.target.elsewhere();
  }

  get kernel(): ProbeObject {
    return this.#program.kernel;
  }

  get attachMethod(): AttachMethod {
    return this.#program.attachMethod;
  }

  /** Loads the program into the kernel; nothing is attached yet. */
  static async load(options: VerifyProgramOptions): Promise<VerifyProgram> {
    const { target } = options;
    const { binary } = target;
    const preparation = inProcess(options.preparation, target);
    const { plan, tables } = preparation;
    const places = elementPlaces(binary.mapTypes());
    const scratch = scratchRoom(options.cpus ?? possibleCpus());
    const program = await TargetProgram.load(target, {
      name: 'verify',
      title: 'The BPF program',
      attachMethod: options.attachMethod,
      readOnlyData: {
        ...decoderData(binary, preparation, false),
        ...scratch.readOnlyData,
        verify_layout: layoutData(options),
        verified_functions: functionData(plan),
      },
      mapSizes: {
        lookup_scratch: scratch.entries,
        verify_scratches: scratch.entries,
        map_types: tables.mapTypePlaces,
        dynamic_types: atLeastOne(tables.dynamicTypes.count),
        equal_steps: atLeastOne(tables.equalSteps.count),
        element_places: atLeastOne(places.count),
      },
      contents: {
        map_types: tables.mapTypes,
        dynamic_types: tables.dynamicTypes,
        equal_steps: tables.equalSteps,
        element_places: places,
      },
    });
    return new VerifyProgram(program, options);
  }

  /**
   * Puts the breakpoints of some functions in: first those at the returns, which the kernel attaches in this order, so that
   * no lookup is predicted whose return is not watched. What was predicted under an earlier attachment counts no more.
   *
   * @param functions indices into ProbePlan.functions
   */
  async attach(functions: ReadonlySet<number>): Promise<void> {
    const { preparation, returns } = this.#options;
    const { plan } = preparation;
    this.#setGeneration(++this.#generation);
    const returnCookie = recordConstant('RETURN_COOKIE');
    const breakpoints = [
      ...returns.map((site) => ({ ...site, cookie: BigInt(returnCookie | site.functionIndex) })),
      ...plan.sites.map((site, i) => ({ ...site, cookie: BigInt(i) })),
    ].filter(({ functionIndex }) => functions.has(functionIndex));
    await this.#program.attach(breakpoints);
  }

  /** Takes the breakpoints out; when this returns none is left in the target. */
  async detach(): Promise<void> {
    this.#setGeneration(0);
    await this.#program.detach();
  }

  /** What was predicted in another generation is forgotten; in generation 0 nothing is predicted. */
  #setGeneration(generation: number): void {
    const control = encodeRecords('verify_control', [{ generation }]);
    this.kernel.updateMap('verify_controls', Buffer.alloc(4), control, 1);
  }

  close(): void {
    this.#program.close();
  }
}

/** The data segments: where the program's variables are, and with them every zero value. */
function layoutData({ target, zeroValue = 0, lookups }: VerifyProgramOptions): Buffer {
  const data = target.binary.segments().filter((segment) => segment.writable);
  const elsewhere = target.elsewhere();
  // A plugin's may be anywhere.
  const isAnywhere = zeroValue === 0 && elsewhere.size > 0;
  return encodeRecords('verify_layout', [
    {
      lookups,
      zero_value: elsewhere.get(zeroValue) ?? zeroValue,
      data_start: isAnywhere ? 0 : Math.min(...data.map((segment) => segment.address)),
      data_end: isAnywhere ? -1 : Math.max(...data.map((segment) => segment.address + segment.memorySize)),
    },
  ]);
}

function functionData({ functions }: ProbePlan): Buffer {
  const most = recordConstant('MAX_LOOKUP_FUNCTIONS');
  if (functions.length > most) {
    throw new RangeError(`${functions.length} lookup functions, ${most} are possible`);
  }
  return encodeRecords(
    'verified_function',
    Array.from({ length: most }, (_, i) => {
      const name = functions[i]?.name ?? '';
      return { result: resultOf(name), gives_zero_value: Number(givesZeroValue(name)) };
    }),
  );
}

function resultOf(name: string): number {
  if (name.includes('mapaccessK')) {
    return recordConstant('RESULT_KEY_ELEM');
  }
  return recordConstant(name.includes('mapaccess2') ? 'RESULT_ELEM_FOUND' : 'RESULT_ELEM');
}

function elementPlaces(types: readonly MapType[]): MapContents {
  const records = types.map((type) => ({
    elems_offset: type.elemsOffset,
    elem_stride: type.elemStride,
    indirect_elem: Number(type.indirectElem),
  }));
  return {
    keys: addressKeys(types.map((type) => type.address)),
    values: encodeRecords('element_place', records),
    count: records.length,
  };
}
