import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapscope } from '../support/command.ts';
import { REAL_TIME } from '../support/real-time.ts';
import { startShop } from '../support/shop.ts';

test('doctor says of a process where the traces of its lookups would be known from', async (context) => {
  const shop = await startShop(context, { tracing: 'sdk' });
  const { status, stdout } = await mapscope(['doctor', '--pid', String(shop.pid)], {
    env: { OTEL_EBPF_BPF_FS_PATH: '/nowhere' },
  });
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^ {2}ok +probe sites +\d+ in \d+ lookup functions; the mapped code matches the file$/m,
  );
  assert.match(stdout, /^ {2}ok +traces +from labels, sdk, http, grpc$/m);
  assert.match(stdout, REAL_TIME ? /^ {2}ok +windows /m : /^ {2}limited windows /m);
  assert.ok(!stdout.includes('MISSING'), stdout);
  assert.equal(stdout.split('limited').length - 1, Number(!REAL_TIME), stdout);
});
