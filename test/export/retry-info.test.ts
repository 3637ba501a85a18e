import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { retryDelayMillis } from '../../src/otel/transport/retry-info.ts';

const PROTO = fileURLToPath(new URL('../support/otlp-receiver/rpc-status.proto', import.meta.url));
const definition = loadSync(PROTO);

function encode(type: string, message: object): Uint8Array {
  const found = definition[`google.rpc.${type}`];
  assert.ok(found !== undefined && 'serialize' in found && typeof found.serialize === 'function');
  return found.serialize(message);
}

function status(details: object[]): Uint8Array {
  return encode('Status', { code: 8, message: 'slow down', details });
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
const other = { typeUrl: 'type.googleapis.com/google.rpc.DebugInfo', value: Uint8Array.of(1, 2, 3) };

test('the delay is read from the details', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(999_999_999), (seconds, nanos) => {
      const value = encode('RetryInfo', { retryDelay: { seconds, nanos } });
      const expected = seconds * 1000 + nanos / 1e6;
      assert.equal(retryDelayMillis(status([other, { typeUrl: RETRY_INFO, value }])), expected);
    }),
  );
});

test('an invitation without a delay, or with one in the past, is an invitation', () => {
  assert.equal(retryDelayMillis(status([{ typeUrl: RETRY_INFO }])), 0);
  assert.equal(retryDelayMillis(status([{ typeUrl: RETRY_INFO, value: encode('RetryInfo', {}) }])), 0);
  const past = encode('RetryInfo', { retryDelay: { seconds: -5 } });
  assert.equal(retryDelayMillis(status([{ typeUrl: RETRY_INFO, value: past }])), 0);
});

test('without RetryInfo there is no invitation', () => {
  assert.equal(retryDelayMillis(status([other])), undefined);
  assert.equal(retryDelayMillis(Uint8Array.of()), undefined);
});

test('malformed bytes are read to an end and never throw', () => {
  const whole = status([{ typeUrl: RETRY_INFO, value: encode('RetryInfo', { retryDelay: { seconds: 1 } }) }]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(whole.length), (noise, cut) => {
      for (const bytes of [
        noise,
        whole.subarray(0, cut),
        Uint8Array.of(...whole.subarray(0, cut), ...noise),
      ]) {
        const delay = retryDelayMillis(bytes);
        assert.ok(delay === undefined || delay >= 0);
      }
    }),
    { numRuns: 1000 },
  );
});
