import { UnprovenError } from '../code/disassemble.ts';
import type { PlacedInstruction } from '../code/entry-site.ts';
import { planCallSite, planResultSite } from '../code/inner-site.ts';
import type { Program } from './go-program.ts';
import { argumentRegisters, POINTER, proven, type TraceSite } from './site.ts';

/** runtime.newproc runs this on the system stack (src/runtime/proc.go, Go 1.17 to 1.27). */
const STARTER = 'runtime.newproc.func1';
/** newproc1(...) *g makes the new goroutine, in a state ready to run (src/runtime/proc.go, Go 1.17 to 1.27). */
const CREATE = 'runtime.newproc1';
/** runqput(pp *p, gp *g, next bool) (src/runtime/proc.go, Go 1.17 to 1.27). */
const ENQUEUE = 'runtime.runqput';

/**
 * Where a `go` statement hands its new goroutine to the scheduler: the call of runqput in the function that newproc runs. Where
 * runqput is inlined (by a profile, PGO), an instruction between the return of newproc1 and what was runqput's code.
 *
 * `goroutineStart`: `goroutine` is the new g. Its goid is set, and its parentGoid from Go 1.21 on; it has not run yet. The thread
 * is on its g0 (R14); the creating goroutine is g0.m.curg, nil for the program's first goroutine. Each `go` statement hits
 * it exactly once. Coroutines (iter.Pull) and the runtime's own few goroutines that newproc does not make are not seen.
 */
export function planGoroutines(program: Program): { sites: TraceSite[] } {
  const { registers, ...place } = startSite(program);
  return { sites: [{ ...place, function: STARTER, event: 'goroutineStart', registers, repeats: false }] };
}

function startSite(program: Program): PlacedInstruction & Pick<TraceSite, 'registers'> {
  const { binary } = program;
  // None of these can be missed by being inlined: the first is called by assembly, of the others calls are looked for.
  const starter = program.only(STARTER);
  if (program.has(ENQUEUE)) {
    const enqueue = program.only(ENQUEUE);
    const signature = { parameters: [POINTER, POINTER, [1]], values: { goroutine: 1 } };
    const registers = argumentRegisters(binary, enqueue, [signature]);
    try {
      return { ...planCallSite(binary, starter, enqueue), registers };
    } catch (error) {
      if (!(error instanceof UnprovenError)) {
        throw error;
      }
    }
  }
  const { register, ...place } = proven(() => planResultSite(binary, starter, program.only(CREATE)));
  return { ...place, registers: { goroutine: register } };
}
