import { BinaryError, type GoBinary, type GoFunction } from '../../gobinary/index.ts';

/** The functions that the compiler calls for `m[k]`, and their wrappers (cmd/compile/internal/walk, reflect). */
export const LOOKUP_FUNCTION = /^runtime\.mapaccess(1|2|K)(_fast32|_fast64|_faststr|_fat)?$/;

/** As many as the programs in the kernel have room for: MAX_LOOKUP_FUNCTIONS in bpf/shared/verify.h. Go's programs have 11. */
const MOST_FUNCTIONS = 32;

/**
 * The lookup functions the binary contains, in a stable order. Of several bodies of one name each is its own entry.
 *
 * @throws BinaryError when there are more than any Go program has
 */
export function lookupFunctions(binary: GoBinary): GoFunction[] {
  const found: GoFunction[] = [];
  for (const prefix of ['mapaccess1', 'mapaccess2', 'mapaccessK']) {
    for (const suffix of ['', '_fast32', '_fast64', '_faststr', '_fat']) {
      const name = `runtime.${prefix}${suffix}`;
      if (LOOKUP_FUNCTION.test(name)) {
        found.push(...binary.functionsNamed(name));
      }
    }
  }
  if (found.length > MOST_FUNCTIONS) {
    const text = `${binary.name} has ${found.length} map lookup functions, and no Go program more than ${MOST_FUNCTIONS}.`;
    throw new BinaryError('malformed', text);
  }
  return found;
}
