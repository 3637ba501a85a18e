export {
  checkAgainstDwarf,
  compareWithDwarf,
  type DwarfCheck,
  type DwarfFinding,
  describeFinding,
} from './dwarfcheck.ts';
export { type DynamicType, dynamicTypes } from './dynamictypes.ts';
export { type Equality, type EqualStep, typeEquality } from './equality.ts';
export { BinaryError, type BinaryErrorReason } from './error.ts';
export type { GoBinary } from './gobinary.ts';
export { type GoroutineLayout, goroutineLayout } from './goroutines.ts';
export type { Image, Segment } from './image.ts';
export type { MapType } from './maptypes.ts';
export { type OpenOptions, openGoBinary } from './open.ts';
export type { GoFunction } from './pclntab.ts';
export { type StructField, Structs, type StructType } from './structs.ts';
export type { Frame } from './symbolize.ts';
export type { ElfSymbol } from './symtab.ts';
export { typeName } from './typename.ts';
export type { ReadMemory } from './types.ts';
export type { GoVersion } from './version.ts';
