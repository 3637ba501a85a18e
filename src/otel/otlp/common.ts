import type { Attributes, HrTime } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { BackwardWriter } from './writer.ts';

/*
 * The messages that all OTLP signals share, in opentelemetry-proto 1.11. Like everything that uses BackwardWriter, these
 * functions write the last field first. Read from bottom to top, they show the order of fields in the message, which is the
 * order of the SDK's own serializer.
 */

const SCOPE = { name: 1, version: 2, attributes: 3, droppedAttributesCount: 4 };
const RESOURCE = { attributes: 1, droppedAttributesCount: 2 };
const KEY_VALUE = { key: 1, value: 2 };
const KEY_VALUE_LIST = { values: 1 };
const ARRAY_VALUE = { values: 1 };
const ANY_VALUE = { string: 1, bool: 2, int: 3, double: 4, array: 5, keyValueList: 6, bytes: 7 };

/** Integers that fit an int64. Others are written as a double. */
const MIN_INT64 = -(2 ** 63);
const MAX_INT64 = 2 ** 63;

/** Fields that the SDK's serializer writes, although its type does not have them. */
type ScopeWithAttributes = InstrumentationScope & {
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
};

/** Resource. */
export function writeResource(writer: BackwardWriter, field: number, { attributes }: Resource): void {
  const end = writer.length;
  writer.varint(RESOURCE.droppedAttributesCount, 0);
  writeAttributes(writer, RESOURCE.attributes, attributes);
  writer.close(field, end);
}

/** InstrumentationScope. */
export function writeScope(writer: BackwardWriter, field: number, scope: ScopeWithAttributes): void {
  const end = writer.length;
  if (scope.droppedAttributesCount) {
    writer.varint(SCOPE.droppedAttributesCount, scope.droppedAttributesCount);
  }
  writeAttributes(writer, SCOPE.attributes, scope.attributes);
  if (scope.version) {
    writer.string(SCOPE.version, scope.version);
  }
  writer.string(SCOPE.name, scope.name);
  writer.close(field, end);
}

/** repeated KeyValue. */
export function writeAttributes(
  writer: BackwardWriter,
  field: number,
  attributes: Attributes | undefined,
): void {
  if (attributes !== undefined) {
    for (const key of Object.keys(attributes).reverse()) {
      writeKeyValue(writer, field, key, attributes[key]);
    }
  }
}

/** fixed64 of a time in Unix nanoseconds, which a JavaScript number cannot hold exactly. */
export function writeTime(writer: BackwardWriter, field: number, [seconds, nanos]: HrTime): void {
  // In units of 2^16 ns, so that each part stays below 2^53 until the year 20,000; fixed64 itself ends in 2554.
  const rest = (seconds % 65536) * 1e9 + nanos;
  const units = Math.floor(seconds / 65536) * 1e9 + Math.floor(rest / 65536);
  const low = (units % 65536) * 65536 + (rest % 65536);
  writer.fixed64Halves(field, low, Math.floor(units / 65536));
}

function writeKeyValue(writer: BackwardWriter, field: number, key: string, value: unknown): void {
  const end = writer.length;
  writeAnyValue(writer, KEY_VALUE.value, value);
  writer.string(KEY_VALUE.key, key);
  writer.close(field, end);
}

/** AnyValue, empty for a value without a field, such as null. */
function writeAnyValue(writer: BackwardWriter, field: number, value: unknown): void {
  const end = writer.length;
  if (typeof value === 'string') {
    writer.string(ANY_VALUE.string, value);
  } else if (typeof value === 'boolean') {
    writer.varint(ANY_VALUE.bool, value ? 1 : 0);
  } else if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= MIN_INT64 && value < MAX_INT64) {
      writer.varint(ANY_VALUE.int, value);
    } else {
      writer.double(ANY_VALUE.double, value);
    }
  } else if (value instanceof Uint8Array) {
    writer.bytes(ANY_VALUE.bytes, value);
  } else if (Array.isArray(value)) {
    for (let index = value.length - 1; index >= 0; index--) {
      writeAnyValue(writer, ARRAY_VALUE.values, value[index]);
    }
    writer.close(ANY_VALUE.array, end);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value).reverse()) {
      writeKeyValue(writer, KEY_VALUE_LIST.values, key, one);
    }
    writer.close(ANY_VALUE.keyValueList, end);
  }
  writer.close(field, end);
}
