/* The compiled BPF objects: the one place that finds, loads and fills them. */
import { release } from 'node:os';
import { EXIT, messageOf, UserError } from '../base/errors.ts';
import {
  type AttachMethod,
  addon,
  type Features,
  type ProbeObject,
  type ProbeObjectOptions,
} from '../kernel/addon.ts';
import { objectPath } from '../kernel/object-path.ts';
import { kernelAttachMethod } from './attach-method.ts';
import type { MapContents } from './data/type-tables.ts';

/**
 * The objects by name. A sleepable program may wait for a page of the target's memory; not every kernel runs one at a probe.
 * What differs between the two kinds is built twice, as NAME_sleepable and NAME_atomic.
 */
const OBJECTS = {
  lookup: { mayBeSleepable: true, builtTwice: true },
  verify: { mayBeSleepable: true, builtTwice: true },
  count: { mayBeSleepable: true, builtTwice: false },
  trace: { mayBeSleepable: false, builtTwice: false },
} as const;

/** Which object to load, and with what. */
export interface ObjectOptions extends Partial<Pick<ProbeObjectOptions, 'sharedMaps' | 'pinnedMaps'>> {
  readonly name: keyof typeof OBJECTS;
  /** What messages call it, at the beginning of a sentence. */
  readonly title: string;
  /** Default: what the kernel supports best. */
  readonly attachMethod?: AttachMethod | undefined;
  readonly readOnlyData?: ProbeObjectOptions['readOnlyData'];
  readonly mapSizes?: ProbeObjectOptions['mapSizes'];
  /** What the maps hold from the start, by name. */
  readonly contents?: Readonly<Record<string, MapContents>>;
}

/** A program in the kernel that is attached to nothing yet. */
export interface LoadedObject {
  readonly kernel: ProbeObject;
  readonly attachMethod: AttachMethod;
}

/**
 * Loads an object into the kernel and fills its maps.
 *
 * @throws UserError when this machine or the rights of this process do not allow it; nothing is left behind then
 */
export async function loadObject(options: ObjectOptions): Promise<LoadedObject> {
  const { name, title, readOnlyData = {}, mapSizes = {}, contents = {}, sharedMaps, pinnedMaps } = options;
  const features = addon.features();
  if (!features.bpf) {
    throw new UserError(features.bpfError, EXIT.cannotObserve);
  }
  const lack = whatIsMissing(features);
  if (lack !== undefined) {
    throw new UserError(lack, EXIT.cannotObserve);
  }
  const sleepable = OBJECTS[name].mayBeSleepable && features.sleepableUprobes;
  const build = sleepable ? 'sleepable' : 'atomic';
  const attachMethod = options.attachMethod ?? kernelAttachMethod(features);
  const kernel = new addon.ProbeObject({
    objectPath: objectPath(OBJECTS[name].builtTwice ? `${name}_${build}` : name),
    attachMethod,
    sleepable,
    readOnlyData,
    mapSizes,
    ...(sharedMaps && { sharedMaps }),
    ...(pinnedMaps && { pinnedMaps }),
  });
  try {
    await kernel.load();
    for (const [map, { keys, values, count }] of Object.entries(contents)) {
      if (count > 0) {
        kernel.updateMap(map, keys, values, count);
      }
    }
  } catch (error) {
    kernel.close();
    throw new UserError(`${title} could not be loaded: ${messageOf(error)}`, EXIT.cannotObserve, {
      cause: error,
    });
  }
  return { kernel, attachMethod };
}

/** A sentence about a kernel that is too old, whatever its number: distributions bring features to old ones. */
export function whatIsMissing({ missingHelpers }: Pick<Features, 'missingHelpers'>): string | undefined {
  return missingHelpers.length === 0
    ? undefined
    : `This kernel, Linux ${release()}, lacks ${missingHelpers.join(' and ')}, which mapscope's BPF programs need.`;
}

/** A BPF map cannot have room for nothing. */
export function atLeastOne(count: number): number {
  return Math.max(count, 1);
}
