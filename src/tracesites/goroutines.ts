import { planCallSite } from '../probesites/entrysite.ts';
import type { Program } from './program.ts';
import { argumentRegisters, POINTER, proven, type TraceSite } from './site.ts';

/** runtime.newproc runs this on the system stack (src/runtime/proc.go, Go 1.17 to 1.27). */
const CREATOR = 'runtime.newproc.func1';
/** runqput(pp *p, gp *g, next bool) (src/runtime/proc.go, Go 1.17 to 1.27). */
const ENQUEUE = 'runtime.runqput';

/**
 * Where a `go` statement hands its new goroutine to the scheduler: the call of runqput in the function that newproc runs.
 *
 * `goroutineStart`: `goroutine` is the new g. Its goid is set, and its parentGoid from Go 1.21 on; it has not run yet. The thread
 * is on its g0 (R14); the creating goroutine is g0.m.curg, nil for the program's first goroutine. Each `go` statement hits it exactly once. Coroutines (iter.Pull)
 * and the runtime's own few goroutines that newproc does not make are not seen.
 */
export function planGoroutines(program: Program): { sites: TraceSite[] } {
  const { binary } = program;
  // Neither can be missed by being inlined: the first is called by assembly, of the second one call is looked for.
  const creator = program.only(CREATOR);
  const enqueue = program.only(ENQUEUE);
  const site = proven(() => planCallSite(binary, creator, enqueue));
  const registers = argumentRegisters(binary, enqueue, [
    { parameters: [POINTER, POINTER, [1]], values: { goroutine: 1 } },
  ]);
  const event = 'goroutineStart';
  return {
    sites: [{ ...site, function: creator.name, event, registers, repeats: false }],
  };
}
