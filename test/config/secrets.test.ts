// A canary in each place where a secret may be, and all that mapscope says of it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withoutSecrets } from '../../src/base/secrets.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { written } from './written.ts';

const CANARY = 'c4n4ry';
const LIMIT = { timeout: 120_000 };

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of a configuration

test('a URL without user, password and parameters', () => {
  const cases = [
    [`http://u:${CANARY}@host:1/p`, 'http://***@host:1/p'],
    [`https://${CANARY}@host`, 'https://***@host'],
    [`http://u:a/${CANARY}@x@host/`, 'http://***@host/'],
    [`http://host/?token=${CANARY}&org=1#key=${CANARY}`, 'http://host/?token=***&org=1#key=***'],
    ['http://host/trace/{trace_id}?span={span_id}', 'http://host/trace/{trace_id}?span={span_id}'],
    ['http://${USER}:${PASSWORD}@host', 'http://${USER}:${PASSWORD}@host'],
    ['http://host:4317', 'http://host:4317'],
  ] as const;
  for (const [text, expected] of cases) {
    assert.equal(withoutSecrets(text), expected);
  }
});

/** Configurations that hold it, right and wrong ones, and the environment that hands it to them. */
const PLACES: readonly { readonly file: string; readonly env?: Readonly<Record<string, string>> }[] = [
  { file: `otlpEndpoint: http://u:${CANARY}@127.0.0.1:9\n` },
  { file: `otlpEndpoint: http://127.0.0.1:9/?token=${CANARY}\n` },
  { file: `otlpLogsEndpoint: http://${CANARY}@127.0.0.1:9\n` },
  { file: `traceUrl: http://u:${CANARY}@127.0.0.1/{trace_id}\n` },
  { file: `traceUrl: http://127.0.0.1/{trace_id}?token=${CANARY}\n` },
  { file: `headers: { authorization: ${CANARY} }\n` },
  { file: `headers: { authorization: "${CANARY} }\n` },
  { file: 'filter: a${SECRET}\n', env: { SECRET: CANARY } },
  { file: 'otlpEndpoint: ${SECRET}\n', env: { SECRET: CANARY } },
  { file: 'otlpEndpoint: http://u:${SECRET}@127.0.0.1:9\n', env: { SECRET: CANARY } },
  { file: 'mode: ${SECRET}\n', env: { SECRET: CANARY } },
  { file: 'ui: ${SECRET}\n', env: { SECRET: CANARY } },
  { file: '', env: { MAPSCOPE_OTLP_ENDPOINT: `http://u:${CANARY}@127.0.0.1:9` } },
  { file: '', env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://u:${CANARY}@127.0.0.1:9` } },
  { file: '', env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:9/?token=${CANARY}` } },
  {
    file: '',
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${CANARY}`,
    },
  },
  {
    file: '',
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_HEADERS: `${CANARY} ${CANARY}`,
    },
  },
  { file: '', env: { MAPSCOPE_UI: '127.0.0.1:0', MAPSCOPE_UI_TOKEN: CANARY } },
];

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of a configuration

for (const [i, { file, env = {} }] of PLACES.entries()) {
  const place = `${JSON.stringify(file).replaceAll(CANARY, '…')} ${Object.keys(env).join(' ')}`;
  test(`no output holds it: ${i + 1}, ${place}`, LIMIT, async () => {
    const config = written(file);
    for (const args of [
      ['config', 'validate', config],
      ['config', 'print', '--origin', '--config', config],
      ['config', 'print', '--format', 'json', '--config', config],
      ['config', 'migrate', config],
      ['ps', '--exe', 'no-such-program', '--config', config],
    ]) {
      const { stdout, stderr } = await mapscope(args, { env });
      // What is written anew is the file itself.
      const said = args[1] === 'migrate' ? stderr : stdout + stderr;
      assert.ok(!said.includes(CANARY), `${args.join(' ')}: ${said}`);
    }
  });
}

test(
  "what a receiver says back of a header is not said on, and the page's token neither",
  LIMIT,
  async (t) => {
    let requests = 0;
    const server = createServer((request, response) => {
      requests++;
      response.writeHead(400, { 'content-type': 'text/plain' });
      response.end(`I refuse ${request.headers.authorization} and ${request.headers['x-key']}`);
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
    const program = await buildGo({ dir, version: 'local' });
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${CANARY},x-key=${CANARY}`,
      MAPSCOPE_UI: '0.0.0.0:0',
      MAPSCOPE_UI_TOKEN: CANARY,
    };
    for (const format of ['text', 'json']) {
      const args = ['run', '--log-format', format, '--mode', 'all', '--', program, '-duration', '1s'];
      const { stdout, stderr } = await mapscope(args, { env });
      assert.match(stderr, /I refuse \*\*\* and \*\*\*/);
      assert.match(stderr, /The page is at http:\S+\?token=\*\*\*/);
      assert.ok(!(stdout + stderr).includes(CANARY), stderr);
    }
    assert.ok(requests >= 2);
  },
);
