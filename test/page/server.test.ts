// The page's server answers its own page on its own machine, and nobody and nothing else.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { isLoopback, parseAddress } from '../../src/page/server/address.ts';
import { MOST_VIEWERS } from '../../src/page/server/viewers.ts';
import { until } from '../support/until.ts';
import { raw, request, serve, take, viewer } from './served.ts';
import { Observed, type Step } from './snapshots.ts';

const LIMIT = { timeout: 120_000 };
const STEP: Step = {
  lookups: [{ site: 0, hit: true, probeLength: 2, keyComparisons: 1, times: 3 }],
  window: true,
};

test('addresses are read, and loopback is told from anything else', () => {
  assert.deepEqual(parseAddress('8080'), { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 });
  assert.deepEqual(parseAddress('localhost:0'), { host: 'localhost', port: 0 });
  for (const text of [
    '',
    ':80',
    'x',
    'a b:1',
    '127.0.0.1:65536',
    '127.0.0.1',
    'http://127.0.0.1:1',
    '127.0.0.1:1/x',
    '::1:80',
  ]) {
    assert.equal(parseAddress(text), undefined, text);
  }
  assert.deepEqual(
    [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      'localhost',
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.0.0.1.example.com',
      'localhost.example.com',
      '128.0.0.1',
    ].map(isLoopback),
    [true, true, true, true, false, false, false, false, false, false],
  );
});

test('the page is served with nothing that leads elsewhere', LIMIT, async (t) => {
  const { url } = await serve(t);
  for (const [path, type] of [
    ['', 'text/html'],
    ['main.js', 'text/javascript'],
    ['style.css', 'text/css'],
    ['state.json', 'application/json'],
    ['target.json?id=0', 'application/json'],
    ['report.html', 'text/html'],
  ] as const) {
    const response = await fetch(new URL(path, url));
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get('content-type') ?? '', new RegExp(type));
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    const text = await response.text();
    // Namespaces and examples in words are no requests; those that load have attributes, imports or fetches.
    assert.doesNotMatch(text, /(?:src|href)="?(?:https?:)?\/\/|import\(|@import|url\(["']?http/);
  }
});

test('the page is below 150 kB compressed', LIMIT, async (t) => {
  const { url } = await serve(t);
  let bytes = 0;
  for (const path of ['/', '/main.js', '/style.css']) {
    const answer = await raw(url, request(path, { Host: url.host, 'Accept-Encoding': 'gzip' }));
    bytes += Number(/content-length: (\d+)/i.exec(answer.text)?.[1]);
  }
  assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`);
});

test('names and origins of others are turned away', LIMIT, async (t) => {
  const { url } = await serve(t);
  const status = async (headers: Record<string, string>, method = 'GET') =>
    (await raw(url, request('/state.json', headers, method))).status;
  const { host, port } = url;
  assert.equal(await status({ Host: host }), 200);
  assert.equal(await status({ Host: `localhost:${port}` }), 200);
  assert.equal(await status({ Host: `[::1]:${port}` }), 200);
  for (const name of [
    'example.com',
    `example.com:${port}`,
    '127.0.0.1.example.com',
    '169.254.169.254',
    'localhost@example.com',
    '',
    '127.0.0.1:1:2',
  ]) {
    assert.equal(await status({ Host: name }), 421, name);
  }
  assert.equal(await status({}), 400, 'HTTP/1.1 needs a host');
  assert.equal(await status({ Host: host, Origin: `http://${host}` }), 200);
  for (const origin of [
    'http://example.com',
    'null',
    `http://localhost:${port}`,
    `http://${host}.example.com`,
  ]) {
    assert.equal(await status({ Host: host, Origin: origin }), 403, origin);
  }
  assert.equal(await status({ Host: host, 'Sec-Fetch-Site': 'same-origin' }), 200);
  assert.equal(await status({ Host: host, 'Sec-Fetch-Site': 'none' }), 200);
  assert.equal(await status({ Host: host, 'Sec-Fetch-Site': 'cross-site' }), 403);
  assert.equal(await status({ Host: host, 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors' }), 403);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    assert.equal(await status({ Host: host }, method), 405, method);
  }
});

test('there are no other paths, however they are written', LIMIT, async (t) => {
  const { url } = await serve(t);
  const paths = [
    '/..',
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/main.js/',
    '/main.js%00',
    '/./main.js.map',
    '/\\..\\x',
    '/index.html',
    '/target.json/../../x',
    '/%',
    '/%ff',
    `/${'a'.repeat(3000)}`,
    '/target.json?id=99',
    '/target.json?id=-1',
    '/target.json?id=__proto__',
    '/target.json?id=1e999',
  ];
  for (const path of paths) {
    const { status } = await raw(url, request(path, { Host: url.host }));
    assert.ok([400, 404].includes(status), `${path}: ${status}`);
  }
  for (const text of [
    request('//example.com/', { Host: url.host }),
    request('http://example.com/', { Host: url.host }),
    request('*', { Host: url.host }),
  ]) {
    const { status } = await raw(url, text);
    assert.ok([400, 404].includes(status), text);
  }
  for (const text of [
    '',
    '\0\0\0\0\r\n\r\n',
    'GET /\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: ${'a'.repeat(20_000)}\r\n\r\n`,
    'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
  ]) {
    const { text: answer } = await raw(url, `${text}\r\n\r\n`);
    assert.doesNotMatch(answer, /HTTP\/1\.1 200/);
  }
  assert.equal((await fetch(url)).status, 200, 'it still answers');
});

test('elsewhere than on loopback a token is asked for', LIMIT, async (t) => {
  const { page, url } = await serve(t, { ui: '0.0.0.0:0' });
  const token = url.searchParams.get('token') ?? '';
  assert.match(token, /^[\w-]{20,}$/);
  assert.ok(page.url?.startsWith('http://'));
  const here = new URL(`http://127.0.0.1:${url.port}/`);
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    raw(here, request(path, { Host: here.host, ...headers }));
  for (const path of [
    '/',
    '/main.js',
    '/state.json',
    '/target.json?id=0',
    '/events?id=0',
    '/report.html',
    '/?token=',
    '/?token=wrong',
    `/state.json?token=${token.slice(1)}`,
  ]) {
    assert.equal((await ask(path)).status, 401, path);
  }
  const first = await ask(`/?token=${token}`);
  assert.equal(first.status, 302);
  assert.match(first.text, /^location: \.\/\r$/im);
  const [, cookie = ''] =
    /^set-cookie: (mapscope_token=[^;]+); HttpOnly; SameSite=Strict\r$/im.exec(first.text) ?? [];
  assert.equal((await ask('/state.json', { Cookie: `a=b; ${cookie}` })).status, 200);
  assert.equal((await ask('/state.json', { Authorization: `Bearer ${token}` })).status, 200);
  assert.equal((await ask('/state.json', { Cookie: 'mapscope_token=x' })).status, 401);
  assert.equal(
    (await ask('/state.json', { Host: 'example.com', Authorization: `Bearer ${token}` })).status,
    421,
  );
});

test('viewers get what is new, and what they missed', LIMIT, async (t) => {
  const { url, watch } = await serve(t);
  const observed = new Observed();
  take(watch, observed.step(STEP));
  take(watch, observed.step(STEP), 'a'.repeat(32));
  const first = viewer(url, 0);
  let text = '';
  first.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await until(
    () => (text.match(/event: interval/g) ?? []).length === 1 && text.includes('event: now'),
    () => text,
  );
  take(watch, observed.step(STEP));
  await until(
    () => (text.match(/event: interval/g) ?? []).length === 2,
    () => text,
  );
  watch.end(observed.step(STEP), []);
  await until(
    () => /event: state\ndata: .*"ended":true/.test(text),
    () => text,
  );
  first.destroy();
  const late = viewer(url, 99);
  let other = '';
  late.setEncoding('utf8').on('data', (chunk) => {
    other += chunk;
  });
  await until(
    () => other.includes('event: restart'),
    () => other,
  );
  late.destroy();
});

test('a viewer that does not read is dropped; others see everything', LIMIT, async (t) => {
  const { page, url, watch } = await serve(t);
  const observed = new Observed();
  const lazy = viewer(url);
  const eager = viewer(url);
  let events = 0;
  eager.setEncoding('utf8').on('data', (chunk) => {
    events += (String(chunk).match(/event: interval/g) ?? []).length;
  });
  let closed = false;
  lazy.on('close', () => {
    closed = true;
  });
  await until(() => page.viewers === 2, 'both watch');
  lazy.pause();
  // Large steps, so that what waits for the lazy one exceeds any buffer of the kernel.
  const lookups = Array.from({ length: 2_000 }, (_, site) => ({
    site,
    hit: true,
    probeLength: 1 + (site % 900),
    keyComparisons: site % 60,
    times: 1 + site,
  }));
  let sent = 0;
  while (page.viewers === 2 && sent < 300) {
    take(watch, observed.step({ lookups, window: true }));
    sent++;
    await until(
      () => events >= sent,
      () => `${events} of ${sent} events`,
    );
  }
  assert.equal(page.viewers, 1, 'only the one that reads is left');
  take(watch, observed.step(STEP));
  await until(() => events === sent + 1, 'the other one goes on');
  lazy.resume();
  await until(() => closed, 'its connection is closed');
  eager.destroy();
});

test('a thousand connections, half of them slow, harm nobody', LIMIT, async (t) => {
  const { page, url, watch } = await serve(t);
  const observed = new Observed();
  take(watch, observed.step(STEP));
  const before = process.memoryUsage().rss;
  const good = viewer(url);
  let events = 0;
  good.setEncoding('utf8').on('data', (chunk) => {
    events += (String(chunk).match(/event: interval/g) ?? []).length;
  });
  await until(() => page.viewers === 1, 'one watches');
  const sockets: Socket[] = [];
  let closed = 0;
  for (let i = 0; i < 1_000; i++) {
    const socket = connect(Number(url.port), url.hostname);
    socket.on('error', () => {});
    socket.on('close', () => {
      closed++;
    });
    socket.resume();
    // Some say nothing, some half a request, some watch.
    socket.write(
      [
        '',
        'GET / HT',
        `GET /state.json HTTP/1.1\r\nHost: ${url.host}\r\nX: `,
        request('/events?id=0', { Host: url.host, Connection: 'keep-alive' }),
      ][i % 4] ?? '',
    );
    sockets.push(socket);
  }
  await until(
    () => closed > 800,
    () => `${closed} are closed`,
  );
  assert.ok(page.viewers <= MOST_VIEWERS, `${page.viewers} viewers`);
  const seen = events;
  take(watch, observed.step(STEP));
  await until(() => events === seen + 1, 'who watched before still does');
  assert.ok(process.memoryUsage().rss - before < 150e6, 'memory is bounded');
  for (const socket of sockets) {
    socket.destroy();
  }
  await until(() => page.viewers === 1, 'only the first one is left');
  // The server notices closed connections one by one.
  const patience = performance.now() + 30_000;
  let answer = await raw(url, request('/state.json', { Host: url.host })).catch(() => undefined);
  while (answer?.status !== 200 && performance.now() < patience) {
    answer = await raw(url, request('/state.json', { Host: url.host })).catch(() => undefined);
  }
  assert.equal(answer?.status, 200);
  good.destroy();
});

test('requests that end in the middle, in any way, harm nobody', LIMIT, async (t) => {
  const { url, watch } = await serve(t);
  const observed = new Observed();
  let random = 7;
  const next = (most: number) => {
    random = (random * 48_271) % 2_147_483_647;
    return random % most;
  };
  const whole = [
    request('/target.json?id=0', { Host: url.host }),
    request('/events?id=0&after=-5', { Host: url.host }),
    request('/report.html', { Host: url.host }),
  ];
  for (let i = 0; i < 300; i++) {
    take(watch, observed.step(STEP));
    const bytes = Buffer.from(whole[next(whole.length)] ?? '');
    for (let flips = next(4); flips > 0; flips--) {
      bytes[next(bytes.length)] = next(256);
    }
    const socket = connect(Number(url.port), url.hostname);
    socket.on('error', () => {});
    socket.resume();
    await new Promise((done) => socket.write(bytes.subarray(0, next(bytes.length + 1)), done));
    if (next(2) === 0) {
      socket.resetAndDestroy();
    } else {
      socket.end();
    }
  }
  const response = await raw(url, request('/target.json?id=0', { Host: url.host }));
  assert.equal(response.status, 200);
});

test('an answer is as long as it says, compressed or not', LIMIT, async (t) => {
  const { url, watch } = await serve(t);
  take(watch, new Observed().step(STEP));
  const plain = await raw(url, request('/target.json?id=0', { Host: url.host }));
  const [, body = ''] = plain.text.split('\r\n\r\n');
  assert.equal(JSON.parse(body).facts.pid, 4711);
  const packed = await fetch(new URL('main.js', url), { headers: { 'Accept-Encoding': 'gzip' } });
  const whole = await fetch(new URL('main.js', url), { headers: { 'Accept-Encoding': 'identity' } });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.equal(await packed.text(), await whole.text());
});
