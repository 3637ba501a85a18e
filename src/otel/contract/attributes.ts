import { createHash } from 'node:crypto';
import type { Attributes } from '@opentelemetry/api';
import { UNKNOWN_NAME } from '../../model/position.ts';
import type { CallSiteStats } from '../../model/snapshot.ts';
import { ATTRIBUTES, type AttributeKey } from './attribute-names.ts';

/** What distinguishes lookups. */
export type LookupIdentity = Pick<CallSiteStats, 'callSite' | 'type' | 'hit'>;

/** Point attributes of a call site, for those of `keys` whose value is known. */
export function attributesOf(callSite: LookupIdentity, keys: readonly AttributeKey[]): Attributes {
  const attributes: Attributes = {};
  for (const key of keys) {
    const value = attributeValue(callSite, key);
    if (value !== undefined) {
      attributes[ATTRIBUTES[key].name] = value;
    }
  }
  return attributes;
}

/** Attributes of the overflow series, which counts what is beyond the series limit. The result stays: it has two values. */
export function overflowAttributes(callSite: LookupIdentity, keys: readonly AttributeKey[]): Attributes {
  const result = attributesOf(
    callSite,
    keys.filter((key) => key === 'result'),
  );
  return { ...result, [ATTRIBUTES.overflow.name]: true };
}

/** Point attributes of a goroutine's own series. */
export function goroutineAttributes(of: { goroutine: number; parentGoroutine?: number }): Attributes {
  return {
    [ATTRIBUTES.goroutine.name]: of.goroutine,
    ...(of.parentGoroutine !== undefined && { [ATTRIBUTES.parentGoroutine.name]: of.parentGoroutine }),
  };
}

/** Identity of a series within one metric. Relies on attributes being built in the contract's order. */
export function seriesKey(attributes: Attributes): string {
  return JSON.stringify(attributes);
}

function attributeValue(callSite: LookupIdentity, key: AttributeKey): string | number | undefined {
  switch (key) {
    case 'type':
      return shortened(callSite.type);
    case 'result':
      return callSite.hit ? 'hit' : 'miss';
    case 'functionName':
      return shortened(callSite.callSite.function);
    case 'filePath':
      return known(shortened(callSite.callSite.file));
    case 'lineNumber':
      return callSite.callSite.line || undefined;
    case 'reason':
    case 'table':
    case 'event':
    case 'overflow':
    case 'goroutine':
    case 'parentGoroutine':
      return undefined;
  }
}

function known(name: string): string | undefined {
  return name === '' || name === UNKNOWN_NAME ? undefined : name;
}

/** Backends refuse values that are longer than 1,024 or 2,048 characters; some names of types are thousands long. */
const MOST_CHARACTERS = 1024;
const HASH_DIGITS = 16;

/** A name as it is, or its beginning and a hash of all of it: different names stay different. */
function shortened(name: string): string {
  if (name.length <= MOST_CHARACTERS) {
    return name;
  }
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  const beginning = name.slice(0, MOST_CHARACTERS - HASH_DIGITS - 1);
  // Half of a pair of surrogates is no text.
  return `${beginning.toWellFormed().replace(/\uFFFD$/, '')}~${hash}`;
}
