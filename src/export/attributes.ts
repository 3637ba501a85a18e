import type { Attributes } from '@opentelemetry/api';
import { type CallSiteStats, UNKNOWN_NAME } from '../model/snapshot.ts';
import { ATTRIBUTES, type AttributeKey } from './metrics.ts';

/** What a lookup is told apart by. */
export type LookupIdentity = Pick<CallSiteStats, 'callSite' | 'type' | 'hit'>;

/** Point attributes of a call site: those of the contract's keys that are known. */
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

/** Attributes of the series that takes what is beyond the series limit. The result is kept: it cannot grow in number. */
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
      return callSite.type;
    case 'result':
      return callSite.hit ? 'hit' : 'miss';
    case 'functionName':
      return callSite.callSite.function;
    case 'filePath':
      return known(callSite.callSite.file);
    case 'lineNumber':
      return callSite.callSite.line || undefined;
    case 'reason':
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
