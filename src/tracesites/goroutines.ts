import type { GoBinary } from '../gobinary/index.ts';
import { planCallSite } from '../probesites/entrysite.ts';
import { RBX } from '../probesites/registers.ts';
import { proven, RefusedError, requiredFunction, type TraceSite } from './site.ts';

/** runtime.newproc runs this on the system stack (src/runtime/proc.go, Go 1.17 to 1.27). */
const CREATOR = 'runtime.newproc.func1';
/** runqput(pp *p, gp *g, next bool) (src/runtime/proc.go, Go 1.17 to 1.27). */
const ENQUEUE = 'runtime.runqput';

/**
 * Where a `go` statement hands its new goroutine to the scheduler: the call of runqput in the function that newproc runs.
 *
 * `goroutineStart`: `goroutine` is the new g. Its goid is set, and its parentGoid from Go 1.21 on; it has not run yet. The thread
 * is on its g0 (R14); the creating goroutine is g0.m.curg. Each `go` statement hits it exactly once. Coroutines (iter.Pull)
 * and the runtime's own few goroutines that newproc does not make are not seen.
 */
export function planGoroutines(binary: GoBinary): { sites: TraceSite[] } {
  const creator = requiredFunction(binary, CREATOR);
  if (binary.functionsNamed(ENQUEUE).length === 0) throw new RefusedError(`${ENQUEUE} is inlined everywhere`);
  const enqueue = requiredFunction(binary, ENQUEUE);
  const site = proven(() => planCallSite(binary, creator, enqueue));
  const event = 'goroutineStart';
  return {
    sites: [{ ...site, function: creator.name, event, registers: { goroutine: RBX }, repeats: false }],
  };
}
