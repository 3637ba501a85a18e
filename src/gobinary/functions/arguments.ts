import type { Image } from '../file/image.ts';
import { FUNCDATA_ARG_INFO } from '../go/layouts.ts';
import type { FunctionTable } from './pclntab.ts';

/** Marks in the table; other bytes are an argument's offset, followed by its size. */
const MARK = { end: 0xff, startAggregate: 0xfe, endAggregate: 0xfd } as const;
/** The compiler ends the table, or part of one, with these where it left something out. */
const FIRST_OTHER = 0xf0;
/** abi.TraceArgsMaxLen with a margin: more than the compiler ever writes. */
const MAX_LENGTH = 256;

/**
 * The parameters of function `index`, receiver first: for each the sizes in bytes of the values it consists of (an interface
 * is two of 8). From what the compiler wrote for tracebacks (funcdata 5). Undefined when it wrote nothing or left some out.
 *
 * Source: cmd/compile/internal/ssagen (emitArgInfo), src/runtime/traceback.go (printArgs), Go 1.17; internal/abi/type.go (TraceArgs...), Go 1.27.
 */
export function parametersOf(
  image: Image,
  functions: FunctionTable,
  gofunc: number | undefined,
  index: number,
): number[][] | undefined {
  const table = functions.funcdata(index, FUNCDATA_ARG_INFO, gofunc);
  if (table === undefined) {
    return undefined;
  }
  const parameters: number[][] = [];
  let depth = 0;
  for (let at = table; at < table + MAX_LENGTH; at++) {
    const byte = image.u8(at);
    if (byte === MARK.end) {
      return depth === 0 ? parameters : undefined;
    }
    if (byte === MARK.startAggregate) {
      if (depth++ === 0) {
        parameters.push([]);
      }
    } else if (byte === MARK.endAggregate) {
      depth--;
    } else if (byte >= FIRST_OTHER) {
      return undefined;
    } else {
      const size = image.u8(++at);
      if (depth === 0) {
        parameters.push([size]);
      } else {
        parameters.at(-1)?.push(size);
      }
    }
  }
  return undefined;
}
