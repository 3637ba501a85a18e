/*
 * A server that is overloaded may say when to come back: google.rpc.RetryInfo within google.rpc.Status, in the trailing
 * metadata `grpc-status-details-bin`. Only then may RESOURCE_EXHAUSTED be retried. Three small protobuf messages are
 * read here; what is malformed counts as absent.
 */

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
/** Field numbers: Status.details, Any.type_url, Any.value, RetryInfo.retry_delay, Duration.seconds, Duration.nanos. */
const STATUS_DETAILS = 3;
const ANY_TYPE_URL = 1;
const ANY_VALUE = 2;
const RETRY_DELAY = 1;
const SECONDS = 1;
const NANOS = 2;

/** Milliseconds that the server asks to wait, 0 when it names no time; undefined when it does not invite a retry. */
export function retryDelayMillis(statusDetails: Uint8Array): number | undefined {
  for (const detail of fields(statusDetails)) {
    if (detail.number !== STATUS_DETAILS || detail.bytes === undefined) {
      continue;
    }
    const parts = fields(detail.bytes);
    const typeUrl = parts.find(({ number }) => number === ANY_TYPE_URL)?.bytes;
    if (typeUrl !== undefined && new TextDecoder().decode(typeUrl) === RETRY_INFO) {
      const value = parts.find(({ number }) => number === ANY_VALUE)?.bytes;
      return value === undefined ? 0 : durationMillis(value);
    }
  }
  return undefined;
}

function durationMillis(retryInfo: Uint8Array): number {
  const delay = fields(retryInfo).find(({ number }) => number === RETRY_DELAY)?.bytes;
  const parts = delay === undefined ? [] : fields(delay);
  const seconds = parts.find(({ number }) => number === SECONDS)?.varint ?? 0n;
  const nanos = parts.find(({ number }) => number === NANOS)?.varint ?? 0n;
  // A negative delay arrives as a huge unsigned number.
  return Math.max(0, Number(BigInt.asIntN(64, seconds)) * 1000 + Number(BigInt.asIntN(64, nanos)) / 1e6);
}

interface Field {
  number: number;
  varint?: bigint;
  bytes?: Uint8Array;
}

/** Fields of one message, up to the first byte that cannot be understood. */
function fields(message: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) {
        return undefined;
      }
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    return undefined;
  };
  const skip = (length: number, number: number): boolean => {
    if (length > message.length - at) {
      return false;
    }
    found.push({ number, bytes: message.subarray(at, at + length) });
    at += length;
    return true;
  };
  while (at < message.length) {
    const tag = varint();
    if (tag === undefined) {
      return found;
    }
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    if (wireType === 0) {
      const value = varint();
      if (value === undefined) {
        return found;
      }
      found.push({ number, varint: value });
    } else {
      const length = wireType === 1 ? 8 : wireType === 5 ? 4 : wireType === 2 ? varint() : undefined;
      if (length === undefined || !skip(Number(length), number)) {
        return found;
      }
    }
  }
  return found;
}
