import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGoBinary } from '../../src/gobinary/index.ts';
import {
  BUNDLERS,
  CALLS,
  described,
  dwarfOffset,
  followed,
  LOOKUPS,
  NEWEST,
  open,
  PIE,
  planOf,
  SHOP,
  STRIPPED,
} from './binaries.ts';

const LONG = { timeout: 600_000 };
const SERVER = 'httpRequest net/http.serverHandler.ServeHTTP request=7';
const X_NET = 'httpRequest golang.org/x/net/http2.(*serverConn).runHandler request=1';
const DONE = 'httpDone net/http.(*response).finishRequest';
const BUNDLED_DONE = 'httpDone net/http.(*http2responseWriter).handlerDone';
const INTERNAL = 'httpRequest net/http/internal/http2.(*serverConn).runHandler request=1';
const INTERNAL_DONE = 'httpDone net/http/internal/http2.(*responseWriter).handlerDone';
const X_NET_DONE = 'httpDone golang.org/x/net/http2.(*responseWriter).handlerDone';

for (const [dir, version, libraries, expected] of [
  [CALLS, '1.20.14', [], [SERVER, X_NET, DONE, BUNDLED_DONE, X_NET_DONE]],
  [SHOP, '1.23.12', [], [SERVER, X_NET, DONE, BUNDLED_DONE, X_NET_DONE]],
  [SHOP, 'local', [], [SERVER, X_NET, DONE, BUNDLED_DONE, X_NET_DONE]],
  [SHOP, '1.27.4', [], [SERVER, X_NET, DONE, INTERNAL_DONE, X_NET_DONE]],
  [CALLS, '1.27.4', NEWEST, [SERVER, INTERNAL, DONE, INTERNAL_DONE]],
] as const) {
  test(`HTTP requests, Go ${version} ${libraries}`, LONG, async () => {
    const binary = await open(dir, version, libraries);
    const { sites, headers } = followed(binary, 'http');
    assert.deepEqual(described(sites), expected);
    const [server, http2] = sites.map(({ header }) => header);
    assert.equal(server, dwarfOffset(binary, ['net/http.Request', 'Header']));
    const request = expected[1] === INTERNAL ? 'net/http/internal/http2.ServerRequest' : 'net/http.Request';
    assert.equal(http2, dwarfOffset(binary, [request, 'Header']));
    assert.ok(sites.every(({ event, header }) => (event === 'httpDone') === (header === undefined)));
    assert.deepEqual([headers.keyName, headers.elemName], ['string', '[]string']);
    const plain = binary.mapTypes().find(({ name }) => name === 'map[string][]string');
    if (plain !== undefined) {
      assert.equal(headers.groupSize, plain.groupSize);
    }
    const slots = {
      classic: [8, 16, 8 + 8 * 16, 24],
      swiss: [8, 40, 24, 40],
    };
    const { keysOffset, keyStride, elemsOffset, elemStride } = headers;
    assert.deepEqual([keysOffset, keyStride, elemsOffset, elemStride], slots[binary.mapImplementation]);
    for (const flags of [STRIPPED, PIE]) {
      if (flags === PIE && dir === SHOP) {
        continue;
      }
      const other = followed(await open(dir, version, [...libraries, ...flags]), 'http');
      assert.deepEqual(described(other.sites), expected, flags.join());
      assert.deepEqual(
        other.sites.map(({ header }) => header),
        sites.map(({ header }) => header),
      );
    }
  });
}

test('HTTP requests of published programs', () => {
  for (const path of BUNDLERS) {
    const binary = openGoBinary(path);
    if (path.endsWith('/tsc')) {
      assert.deepEqual(planOf(binary, 'http'), { source: 'http', outcome: 'absent' });
    } else {
      assert.deepEqual(described(followed(binary, 'http').sites), [SERVER, DONE, BUNDLED_DONE]);
    }
  }
});

test('programs without an HTTP server', LONG, async () => {
  for (const version of ['1.17.13', 'local', '1.27.4']) {
    assert.deepEqual(planOf(await open(LOOKUPS, version), 'http'), { source: 'http', outcome: 'absent' });
  }
});
