import type { Seed } from './shrink.ts';

/** One change of a file: bytes written into a region (see Seed), the end cut off, or bytes put behind it. */
export type Edit =
  | { readonly region: string; readonly at: number; readonly hex: string }
  | { readonly truncate: number }
  | { readonly append: string };

/** How an input is made: small enough to be kept, and readable. */
export interface Recipe {
  readonly seed: string;
  readonly edits: readonly Edit[];
}

/** The bytes of the seed after the edits. What a region no longer holds is left out. */
export function applyEdits(seed: Seed, edits: readonly Edit[]): Buffer {
  let bytes: Buffer = Buffer.from(seed.bytes);
  for (const edit of edits) {
    bytes = applyEdit(seed, bytes, edit);
  }
  return bytes;
}

export function applyEdit(seed: Seed, bytes: Buffer, edit: Edit): Buffer {
  if ('truncate' in edit) {
    return bytes.subarray(0, edit.truncate);
  }
  if ('append' in edit) {
    return Buffer.concat([bytes, Buffer.from(edit.append, 'hex')]);
  }
  const start = seed.regions.find(({ name }) => name === edit.region)?.start;
  if (start !== undefined) {
    bytes.write(edit.hex, Math.min(start + edit.at, bytes.length), 'hex');
  }
  return bytes;
}

/** A recipe with as few of the edits as still fail. */
export function minimize(recipe: Recipe, fails: (recipe: Recipe) => boolean): Recipe {
  let edits = recipe.edits;
  for (let i = edits.length - 1; i >= 0; i--) {
    const fewer = { ...recipe, edits: edits.toSpliced(i, 1) };
    if (fails(fewer)) {
      edits = fewer.edits;
    }
  }
  return { ...recipe, edits };
}
