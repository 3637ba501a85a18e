import type { Image } from '../file/image.ts';
import { Reader } from '../file/reader.ts';
import { FUNCDATA_INLINE_TREE, PCDATA_INLINE_TREE, type PclntabLayout } from '../go/layouts.ts';
import type { FunctionTable } from './pclntab.ts';

/** One source-level call frame. `file` is '?' and `line` 0 where the compiler recorded none. */
export interface Frame {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  /** Whether its code was inlined into the next frame. */
  readonly inlined: boolean;
}

/** The compiler inlines a few levels deep; the limit only stops a corrupt tree. */
const MAX_DEPTH = 32;

/**
 * The frames at `pc` in function `index`, innermost first and the physical function last: what runtime.CallersFrames
 * gives, before it hides compiler-generated wrappers.
 *
 * The inline tree (funcdata 3) has a node per inlined call; pc-data table 2 names the node at a pc. A frame's position is
 * the file and line at the current pc; then pc becomes the node's parentPc, an instruction at the position of the call.
 * Source: src/runtime/symtabinl.go, Go 1.21; src/runtime/traceback.go, Go 1.17.
 */
export function framesAt(
  image: Image,
  functions: FunctionTable,
  layout: PclntabLayout,
  gofunc: number | undefined,
  index: number,
  pc: number,
): Frame[] {
  const frames: Frame[] = [];
  const { entry, end } = { entry: functions.entry(index), end: functions.entry(index + 1) };
  const tree = functions.funcdata(index, FUNCDATA_INLINE_TREE, gofunc);
  let at = pc;
  while (tree !== undefined && frames.length < MAX_DEPTH) {
    const node = functions.pcdata(index, PCDATA_INLINE_TREE, at);
    if (node === undefined || node < 0) {
      break;
    }
    const { size, name, parentPc } = layout.inlineNode;
    const bytes = new Reader(image.read(tree + node * size, size), 'An inline tree node');
    frames.push({
      function: functions.nameAt(bytes.u32(name)),
      file: functions.file(index, at),
      line: functions.line(index, at),
      inlined: true,
    });
    at = entry + bytes.u32(parentPc);
    if (at >= end) {
      break;
    }
  }
  frames.push({
    function: functions.name(index),
    file: functions.file(index, at),
    line: functions.line(index, at),
    inlined: false,
  });
  return frames;
}

/**
 * The names of all functions whose code was inlined into function `index`, at any depth: those of all nodes of its inline
 * tree that some instruction belongs to, and of the nodes that these are inlined into.
 */
export function inlinedInto(
  image: Image,
  functions: FunctionTable,
  layout: PclntabLayout,
  gofunc: number | undefined,
  index: number,
): Set<string> {
  const names = new Set<string>();
  const tree = functions.funcdata(index, FUNCDATA_INLINE_TREE, gofunc);
  if (tree === undefined) {
    return names;
  }
  const { size, name, parentPc } = layout.inlineNode;
  const entry = functions.entry(index);
  const seen = new Set<number>();
  const pending = [...functions.pcdataValues(index, PCDATA_INLINE_TREE)];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node < 0 || seen.has(node)) {
      continue;
    }
    seen.add(node);
    const bytes = new Reader(image.read(tree + node * size, size), 'An inline tree node');
    names.add(functions.nameAt(bytes.u32(name)));
    pending.push(functions.pcdata(index, PCDATA_INLINE_TREE, entry + bytes.u32(parentPc)) ?? -1);
  }
  return names;
}
