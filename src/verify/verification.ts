import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, UserError } from '../base/errors.ts';
import type { GoBinary } from '../gobinary/index.ts';
import type { AttachMethod } from '../kernel/addon.ts';
import {
  type Disagreement,
  type FunctionVerdict,
  hasHadEnough,
  type VerifyResult,
} from '../model/verification.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import { planReturns } from '../plan/lookups/returns.ts';
import { findZeroValue } from '../plan/lookups/zero-value.ts';
import { Namer } from '../programs/naming/namer.ts';
import { ownTypes } from '../programs/naming/own-types.ts';
import { RuntimeTypes } from '../programs/naming/runtime-types.ts';
import { type Preparation, prepare } from '../programs/preparation/preparation.ts';
import { VerifyProgram } from '../programs/verify-program.ts';
import type { Executable } from '../target/executable.ts';
import { ProcessImage } from '../target/image.ts';
import { MappedBinary } from '../target/mapped.ts';
import { hasMemory } from '../target/process.ts';
import { type RawDisagreement, readDisagreements, readOutcomes } from './counts.ts';
import { verdicts } from './verdict.ts';

export interface VerifyOptions {
  readonly pid: number;
  /** What the process executes, held open by the caller until the verification has finished. */
  readonly executable: Executable;
  /** What was read from it. */
  readonly binary: GoBinary;
  /** What was worked out from the binary. Without it that is done here. */
  readonly preparation?: Preparation | undefined;
  /** Lookups to be checked of each lookup function. */
  readonly lookups: number;
  readonly attachMethod?: AttachMethod;
}

/** How often the counts are looked at, in milliseconds. */
const POLL_MILLIS = 20;

/**
 * How long an attachment lasts at least, in milliseconds, before one with fewer functions takes its place: a program may be
 * short, and between the two nothing is seen.
 */
const ATTACHED_MILLIS = 200;

/** What the kernel says of a process that is gone, or going. */
const GONE = ['ENOENT', 'ESRCH'];

/** A verification of one target: started, it runs until it has seen enough. */
export class Verification {
  readonly plan: ProbePlan;
  readonly #options: VerifyOptions;
  readonly #program: VerifyProgram;
  readonly #image: ProcessImage;
  #wasReplaced = false;
  /** What was found while the process executed what the verification was started for. */
  #seen: { verdicts: FunctionVerdict[]; disagreements: readonly RawDisagreement[] } = {
    verdicts: [],
    disagreements: [],
  };
  readonly #started = performance.now();
  /** Indices of the functions that are still watched. */
  #open: ReadonlySet<number>;
  #attachedAt = performance.now();

  private constructor(program: VerifyProgram, plan: ProbePlan, options: VerifyOptions, image: ProcessImage) {
    this.#image = image;
    this.#program = program;
    this.plan = plan;
    this.#options = options;
    this.#open = new Set(plan.functions.flatMap((fn, i) => (fn.outcome === 'probed' ? [i] : [])));
  }

  /**
   * Plans probe sites and returns, compares them with the target's memory, loads the program and attaches it.
   *
   * @throws UserError when the target or the machine cannot be observed; nothing is left behind then
   */
  static async start(options: VerifyOptions): Promise<Verification> {
    const { pid, binary, preparation = prepare(binary) } = options;
    const image = new ProcessImage(pid);
    const { plan } = preparation;
    if (plan.sites.length === 0) {
      throw new UserError('The program has no lookup function that can be observed.', EXIT.cannotObserve);
    }
    const returns = planReturns(binary, plan);
    const target = MappedBinary.of(pid, options.executable, binary);
    target.checkCode([...plan.sites, ...returns]);
    const zeroValue = findZeroValue(binary, plan);
    const program = await VerifyProgram.load({ ...options, target, preparation, returns, zeroValue });
    const verification = new Verification(program, plan, options, image);
    try {
      await program.attach(verification.#open);
    } catch (error) {
      program.close();
      if (isGone(error)) {
        throw new UserError(`Process ${pid} has ended.`, EXIT.cannotObserve, { cause: error });
      }
      throw error;
    }
    return verification;
  }

  /**
   * Runs until of every function enough lookups have been checked, the target has ended, or `over` is aborted; then takes
   * all breakpoints out.
   *
   * @param onVerdicts called from time to time with what has been found so far
   */
  async finish(
    over: AbortSignal,
    onVerdicts?: (found: readonly FunctionVerdict[]) => void,
  ): Promise<VerifyResult> {
    try {
      while (this.#open.size > 0 && !over.aborted && hasMemory(this.#options.pid)) {
        await delay(POLL_MILLIS, undefined, { signal: over }).catch(() => {});
        if (!(await this.#look())) {
          break;
        }
        onVerdicts?.(this.#seen.verdicts);
        await this.#closeFinished(this.#seen.verdicts);
      }
      await this.#program.detach();
      await this.#look();
      return await this.#result();
    } finally {
      this.#program.close();
      this.#image.close();
    }
  }

  /** Whether the process has executed another program meanwhile, of which nothing is in the result. */
  get wasReplaced(): boolean {
    return this.#wasReplaced;
  }

  /**
   * Reads what has been found. Once the process has executed another program that is of no use: what was predicted in one image may
   * have been compared with what functions of another returned.
   *
   * @returns whether it has not
   */
  async #look(): Promise<boolean> {
    const seen = {
      verdicts: await this.#verdicts(),
      disagreements: await readDisagreements(this.#program.kernel),
    };
    this.#wasReplaced ||= this.#image.hasChanged();
    if (!this.#wasReplaced) {
      this.#seen = seen;
    }
    return !this.#wasReplaced;
  }

  async #verdicts(): Promise<FunctionVerdict[]> {
    return verdicts(this.plan, await readOutcomes(this.#program.kernel, this.plan.functions.length));
  }

  /** Takes the breakpoints out of functions that need them no more. */
  async #closeFinished(found: readonly FunctionVerdict[]): Promise<void> {
    const open = new Set(
      found.filter((v) => !hasHadEnough(v, this.#options.lookups)).map((v) => v.functionIndex),
    );
    if (open.size === this.#open.size) {
      return;
    }
    if (open.size > 0 && !this.#mayAttachAgain()) {
      return;
    }
    this.#open = open;
    await this.#program.detach();
    try {
      if (open.size > 0) {
        await this.#program.attach(open);
      }
      this.#attachedAt = performance.now();
    } catch (error) {
      if (!isGone(error)) {
        throw error;
      }
      this.#open = new Set();
    }
  }

  #mayAttachAgain(): boolean {
    // Perf events are taken out too slowly to do it more than once.
    if (this.#program.attachMethod === 'perf_event') {
      return false;
    }
    return performance.now() - this.#attachedAt >= ATTACHED_MILLIS;
  }

  async #result(): Promise<VerifyResult> {
    const { verdicts: functions, disagreements } = this.#seen;
    return {
      wanted: this.#options.lookups,
      functions,
      delegates: this.plan.functions.flatMap((fn) =>
        fn.outcome === 'delegates' ? [{ name: fn.name, to: fn.to }] : [],
      ),
      refused: this.plan.functions.flatMap((fn) =>
        fn.outcome === 'refused' ? [{ name: fn.name, reason: fn.reason }] : [],
      ),
      disagreements: await this.#named(disagreements),
      seconds: (performance.now() - this.#started) / 1000,
    };
  }

  async #named(found: readonly RawDisagreement[]): Promise<Disagreement[]> {
    const { binary } = this.#options;
    const own = ownTypes(this.#program.elsewhere);
    const runtimeTypes = new RuntimeTypes(binary, own);
    if (found.some((d) => d.runtimeType)) {
      await runtimeTypes.refresh(this.#program.kernel);
    }
    const namer = new Namer(binary, this.plan, runtimeTypes, own);
    return found.map((d) => ({
      function: this.plan.functions[d.functionIndex]?.name ?? '',
      type: namer.type(d),
      callSite: namer.callSite(d.returnAddress),
      expected: d.elem === 0n ? undefined : { key: d.key, elem: d.elem },
      returned: [d.first, d.second],
    }));
  }
}

/** Whether the target has ended before the breakpoints could be put in. */
function isGone(error: unknown): boolean {
  return GONE.includes((error as NodeJS.ErrnoException).code ?? '');
}
