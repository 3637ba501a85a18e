export type { GoBinary } from './binary.ts';
export {
  checkAgainstDwarf,
  compareWithDwarf,
  describeFinding,
} from './dwarf/check.ts';
export { BinaryError, type BinaryErrorReason } from './error.ts';
export { exportedSymbol } from './file/exported.ts';
export type { Frame } from './functions/frames.ts';
export type { GoFunction } from './functions/pclntab.ts';
export type { BuildInfo } from './go/build-info.ts';
export { goroutineLayout } from './go/goroutine-layouts.ts';
export { buildInfoOf, mayBeGoBinary, type OpenOptions, openGoBinary } from './open.ts';
export { dynamicTypes } from './types/dynamic-types.ts';
export { typeEquality } from './types/equality.ts';
export type { Equality, EqualStep, MapType } from './types/map-type.ts';
export { typeName } from './types/names.ts';
export { type StructField, Structs, type StructType } from './types/structs.ts';
