import protobuf from 'protobufjs/minimal.js';

/*
 * An overloaded server may say when to retry: it sends google.rpc.RetryInfo within google.rpc.Status, in the trailing metadata
 * `grpc-status-details-bin`. A client may retry RESOURCE_EXHAUSTED only then. This file reads the three protobuf messages.
 * A malformed one counts as absent.
 */

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

const VARINT = 0;
const BYTES = 2;
/** Tags: Status.details, Any.type_url, Any.value, RetryInfo.retry_delay, Duration.seconds, Duration.nanos. */
const STATUS_DETAILS = (3 << 3) | BYTES;
const ANY_TYPE_URL = (1 << 3) | BYTES;
const ANY_VALUE = (2 << 3) | BYTES;
const RETRY_DELAY = (1 << 3) | BYTES;
const SECONDS = (1 << 3) | VARINT;
const NANOS = (2 << 3) | VARINT;

/** Milliseconds that the server asks to wait: 0 if it names no time, undefined if it does not ask for a retry. */
export function retryDelayMillis(statusDetails: Uint8Array): number | undefined {
  let delay: number | undefined;
  eachField(statusDetails, (tag, status) => {
    if (tag !== STATUS_DETAILS) {
      return false;
    }
    let typeUrl = '';
    let retryInfo: Uint8Array = new Uint8Array();
    eachField(status.bytes(), (part, any) => {
      if (part === ANY_TYPE_URL) {
        typeUrl = any.string();
      } else if (part === ANY_VALUE) {
        retryInfo = any.bytes();
      }
      return part === ANY_TYPE_URL || part === ANY_VALUE;
    });
    if (typeUrl === RETRY_INFO) {
      delay ??= durationMillis(retryInfo);
    }
    return true;
  });
  return delay;
}

function durationMillis(retryInfo: Uint8Array): number {
  let millis = 0;
  eachField(retryInfo, (tag, info) => {
    if (tag !== RETRY_DELAY) {
      return false;
    }
    eachField(info.bytes(), (part, duration) => {
      if (part === SECONDS) {
        millis += Number(duration.int64()) * 1000;
      } else if (part === NANOS) {
        millis += duration.int32() / 1e6;
      }
      return part === SECONDS || part === NANOS;
    });
    return true;
  });
  return Math.max(0, millis);
}

/** Calls `read` for each field, up to the first malformed byte. It skips a field that `read` returns false for. */
function eachField(message: Uint8Array, read: (tag: number, reader: protobuf.Reader) => boolean): void {
  const reader = protobuf.Reader.create(message);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (!read(tag, reader)) {
        reader.skipType(tag & 7);
      }
    }
  } catch {
    // The reader throws at the end of a truncated message and at an unknown wire type.
  }
}
