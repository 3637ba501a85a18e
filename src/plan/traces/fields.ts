import type { StructField, Structs, StructType } from '../../gobinary/index.ts';
import { RefusedError } from './site.ts';

/** A structure type by package and name. */
export function structNamed(structs: Structs, path: string, name: string): StructType {
  const found = structs.named(path, name);
  if (found === undefined) {
    throw new RefusedError(`it has no type descriptor of ${path}.${name}`);
  }
  return found;
}

/** reflect.Kind of the types that are expected of fields. */
const KINDS = {
  uint8: 8,
  uint32: 10,
  array: 17,
  map: 21,
  pointer: 22,
  slice: 23,
  string: 24,
  struct: 25,
} as const;

/** What a field must be to be taken for the one that is meant. */
export interface FieldShape {
  readonly kind?: keyof typeof KINDS;
  readonly size?: number;
  /** Address of its type's descriptor. */
  readonly type?: number;
}

/** A field of a structure, which must have this shape. */
export function fieldOf(struct: StructType, name: string, shape: FieldShape): StructField {
  const field = struct.fields.get(name);
  const here = `${struct.name ?? 'a structure'}.${name}`;
  if (field === undefined) {
    throw new RefusedError(`its ${struct.name ?? 'structure'} has no field ${name}`);
  }
  const agrees =
    (shape.kind === undefined || field.kind === KINDS[shape.kind]) &&
    (shape.size === undefined || field.size === shape.size) &&
    (shape.type === undefined || field.type === shape.type);
  if (!agrees) {
    throw new RefusedError(`its ${here} has a type that no known version has`);
  }
  return field;
}

export function fieldOffset(struct: StructType, name: string, shape: FieldShape): number {
  return fieldOf(struct, name, shape).offset;
}

/** The structure that a pointer field points to, or of which a slice field consists. */
export function elementOf(
  structs: Structs,
  struct: StructType,
  name: string,
  kind: 'pointer' | 'slice',
): StructType {
  const address = structs.elementOf(fieldOf(struct, name, { kind }));
  const found = address === undefined ? undefined : structs.at(address);
  if (found === undefined) {
    throw new RefusedError(`its ${struct.name ?? 'structure'}.${name} does not lead to a structure`);
  }
  return found;
}
