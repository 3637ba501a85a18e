import { EXIT, messageOf, UserError } from '../errors.ts';
import type { GoBinary, MapType } from '../gobinary/index.ts';
import { type AttachMethod, addon, type ProbeObject } from '../kernel/addon.ts';
import { encodeRecords, recordConstant } from '../kernel/records.ts';
import { kernelAttachMethod } from '../observe/attachmethod.ts';
import { decoderData } from '../observe/decoder.ts';
import type { Preparation } from '../observe/preparation.ts';
import { atLeastOne, fill, objectPath } from '../observe/program.ts';
import { addressKeys, type MapContents } from '../observe/typetables.ts';
import type { ProbePlan } from '../probesites/plan.ts';
import type { ReturnSite } from '../probesites/returns.ts';
import { givesZeroValue } from '../probesites/zerovalue.ts';
import { executablePath } from '../target/process.ts';

export interface VerifyProgramOptions {
  readonly pid: number;
  readonly binary: GoBinary;
  readonly preparation: Preparation;
  readonly returns: readonly ReturnSite[];
  /** Link-time address of runtime.zeroVal, where it is known. */
  readonly zeroValue: number | undefined;
  /** Lookups to be checked of each function. */
  readonly lookups: number;
  /** Default: what the kernel supports best. */
  readonly attachMethod?: AttachMethod;
}

/** The verifying program, loaded for one target: attached to some of its lookup functions at a time. */
export class VerifyProgram {
  readonly kernel: ProbeObject;
  readonly attachMethod: AttachMethod;
  readonly #options: VerifyProgramOptions;
  #generation = 0;

  private constructor(kernel: ProbeObject, attachMethod: AttachMethod, options: VerifyProgramOptions) {
    this.kernel = kernel;
    this.attachMethod = attachMethod;
    this.#options = options;
  }

  /** Loads the program into the kernel; nothing is attached yet. */
  static async load(options: VerifyProgramOptions): Promise<VerifyProgram> {
    const { binary, preparation } = options;
    const { plan, tables } = preparation;
    const features = addon.features();
    if (!features.bpf) throw new UserError(features.bpfError, EXIT.cannotObserve);
    const places = elementPlaces(binary.mapTypes());
    const attachMethod = options.attachMethod ?? kernelAttachMethod(features);
    const kernel = new addon.ProbeObject({
      objectPath: objectPath(features.sleepableUprobes ? 'verify_sleepable' : 'verify_atomic'),
      attachMethod,
      sleepable: features.sleepableUprobes,
      readOnlyData: {
        ...decoderData(binary, preparation, false),
        verify_layout: layoutData(options),
        verified_functions: functionData(plan),
      },
      mapSizes: {
        map_types: tables.mapTypePlaces,
        dynamic_types: atLeastOne(tables.dynamicTypes.count),
        equal_steps: atLeastOne(tables.equalSteps.count),
        element_places: atLeastOne(places.count),
      },
    });
    try {
      await kernel.load();
      fill(kernel, 'map_types', tables.mapTypes);
      fill(kernel, 'dynamic_types', tables.dynamicTypes);
      fill(kernel, 'equal_steps', tables.equalSteps);
      fill(kernel, 'element_places', places);
    } catch (error) {
      kernel.close();
      throw new UserError(`The BPF program could not be loaded: ${messageOf(error)}`, EXIT.cannotObserve, {
        cause: error,
      });
    }
    return new VerifyProgram(kernel, attachMethod, options);
  }

  /**
   * Puts the breakpoints of some functions in: first those at the returns, which the kernel attaches in this order, so that
   * no lookup is predicted whose return is not watched. What was predicted under an earlier attachment counts no more.
   *
   * @param functions indices into ProbePlan.functions
   */
  async attach(functions: ReadonlySet<number>): Promise<void> {
    const { pid, preparation, returns } = this.#options;
    const { plan } = preparation;
    this.#setGeneration(++this.#generation);
    const returnCookie = recordConstant('RETURN_COOKIE');
    const places = [
      ...returns.map((site) => ({ site, cookie: returnCookie | site.functionIndex })),
      ...plan.sites.map((site, i) => ({ site, cookie: i })),
    ].filter(({ site }) => functions.has(site.functionIndex));
    await this.kernel.attach({
      path: executablePath(pid),
      pid,
      offsets: places.map(({ site }) => BigInt(site.fileOffset)),
      cookies: places.map(({ cookie }) => BigInt(cookie)),
    });
  }

  /** Takes the breakpoints out; when this returns none is left in the target. */
  async detach(): Promise<void> {
    this.#setGeneration(0);
    await this.kernel.detach();
  }

  /** What was predicted in another generation is forgotten; in generation 0 nothing is predicted. */
  #setGeneration(generation: number): void {
    const control = encodeRecords('verify_control', [{ generation }]);
    this.kernel.updateMap('verify_controls', Buffer.alloc(4), control, 1);
  }

  close(): void {
    this.kernel.close();
  }
}

/** The data segments: where the program's variables are, and with them every zero value. */
function layoutData({ binary, zeroValue, lookups }: VerifyProgramOptions): Buffer {
  const data = binary.segments().filter((segment) => segment.writable);
  return encodeRecords('verify_layout', [
    {
      lookups,
      zero_value: zeroValue ?? 0,
      data_start: Math.min(...data.map((segment) => segment.address)),
      data_end: Math.max(...data.map((segment) => segment.address + segment.memorySize)),
    },
  ]);
}

function functionData({ functions }: ProbePlan): Buffer {
  const most = recordConstant('MAX_LOOKUP_FUNCTIONS');
  if (functions.length > most)
    throw new RangeError(`${functions.length} lookup functions, ${most} are possible`);
  return encodeRecords(
    'verified_function',
    Array.from({ length: most }, (_, i) => {
      const name = functions[i]?.name ?? '';
      return { result: resultOf(name), gives_zero_value: Number(givesZeroValue(name)) };
    }),
  );
}

function resultOf(name: string): number {
  if (name.includes('mapaccessK')) return recordConstant('RESULT_KEY_ELEM');
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
