// Which processes the rules of a selection include, and how that is said.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { BuildInfo } from '../../src/gobinary/index.ts';
import { listenersIn } from '../../src/target/finding/listening-ports.ts';
import { labelsIn } from '../../src/target/finding/pod-labels.ts';
import { type ProcessFacts, processFacts } from '../../src/target/finding/process-facts.ts';
import {
  type Criteria,
  decide,
  decisionInWords,
  type Rule,
  type Selection,
} from '../../src/target/finding/selection.ts';

const include = (criteria: Criteria): Rule => ({ action: 'include', criteria });
const exclude = (criteria: Criteria): Rule => ({ action: 'exclude', criteria });
const select = (...rules: Rule[]): Selection => ({ rules, withoutExclusions: [] });

/** A process that nobody has. */
function facts(some: Partial<ProcessFacts> = {}): ProcessFacts {
  return {
    pid: 2 ** 22 + 1,
    exe: '/usr/bin/shop',
    command: '/usr/bin/shop --port 8080',
    container: undefined,
    podLabels: new Map(),
    ports: [],
    isGo: true,
    build: undefined,
    ...some,
  };
}

const build = (some: Partial<BuildInfo>): BuildInfo => ({
  version: 'go1.26.0',
  modulePath: 'example.com/shop',
  moduleVersion: undefined,
  dependencies: [],
  settings: new Map(),
  ...some,
});

const CONTAINER = 'deadbeef'.repeat(8);

const MATCHES: readonly [what: string, criteria: Criteria, some: Partial<ProcessFacts>, matches: boolean][] =
  [
    ['a name', { exe: 'shop' }, {}, true],
    ['a glob over the name', { exe: 'sh*' }, {}, true],
    ['a glob is over all of the name', { exe: 'sho' }, {}, false],
    ['a path', { exe: '/usr/*/shop' }, {}, true],
    ['a star does not match a slash', { exe: '/*/shop' }, {}, false],
    ['a dot is a dot', { exe: 's.op' }, {}, false],
    ['the command line', { command: '*--port 8080*' }, {}, true],
    ['a star in a command matches a slash, too', { command: '/*8080' }, {}, true],
    ['another command line', { command: '--port 8080' }, {}, false],
    ['a port', { port: [8080, 8080] }, { ports: [22, 8080] }, true],
    ['ports', { port: [8000, 8099] }, { ports: [8042] }, true],
    ['other ports', { port: [8000, 8099] }, { ports: [80, 8100] }, false],
    ['a container', { container: 'dead' }, { container: CONTAINER }, true],
    ['another container', { container: 'beef' }, { container: CONTAINER }, false],
    ['any container', { container: 'any' }, { container: CONTAINER }, true],
    ['no container', { container: 'any' }, {}, false],
    ['a label', { podLabel: 'app=shop' }, { podLabels: new Map([['app', 'shop']]) }, true],
    ['a label with any value', { podLabel: 'app' }, { podLabels: new Map([['app', 'x']]) }, true],
    ['a label of another value', { podLabel: 'app=shop' }, { podLabels: new Map([['app', 'x']]) }, false],
    ['a Go program', { go: true }, {}, true],
    ['no Go program', { go: true }, { isGo: false }, false],
    ['all must hold', { exe: 'shop', port: [80, 80] }, { ports: [81] }, false],
    ['what executes nothing', { command: '*' }, { exe: undefined }, false],
  ];

for (const [what, criteria, some, expected] of MATCHES) {
  test(`a rule asks for ${what}`, () => {
    assert.equal(decide(facts(some), select(include(criteria))).observe, expected);
  });
}

test('the first rule that matches decides; a process that none matches is left alone', () => {
  const selection = select(exclude({ command: '*canary*' }), include({ exe: 'shop' }), exclude({ go: true }));
  assert.deepEqual(decide(facts(), selection), {
    observe: true,
    rule: 1,
    exclusion: undefined,
    mayChange: false,
  });
  assert.equal(decide(facts({ command: 'shop canary' }), selection).rule, 0);
  assert.equal(decide(facts({ exe: '/bin/other' }), selection).observe, false);
  assert.equal(decide(facts({ exe: '/bin/other', isGo: false }), selection).rule, undefined);
  const { observe, rule } = decide(facts(), select());
  assert.deepEqual({ observe, rule }, { observe: false, rule: undefined });
});

test('a process that may yet listen on a port of an earlier rule is to be looked at again', () => {
  const onPort = include({ exe: 'shop', port: [8080, 8080] });
  assert.equal(decide(facts(), select(onPort)).mayChange, true);
  assert.equal(decide(facts({ exe: '/bin/other' }), select(onPort)).mayChange, false);
  assert.equal(decide(facts(), select(onPort, exclude({ exe: 'shop' }))).mayChange, true);
  assert.equal(decide(facts(), select(exclude({ exe: 'shop' }), onPort)).mayChange, false);
  assert.equal(decide(facts({ ports: [8080] }), select(onPort)).mayChange, false);
});

const COLLECTORS: Readonly<Record<string, Partial<ProcessFacts>>> = {
  'a build of the Collector, whatever it is called': {
    build: build({ dependencies: ['go.opentelemetry.io/collector/otelcol'] }),
  },
  'an agent by its module': { build: build({ modulePath: 'github.com/grafana/beyla/v3' }) },
  'one that says nothing of its build, by its name': { exe: '/otelcol-contrib' },
};

for (const [what, some] of Object.entries(COLLECTORS)) {
  test(`left out whatever the rules say: ${what}`, () => {
    const rules = [include({ go: true })];
    const decision = decide(facts(some), { rules, withoutExclusions: [] });
    assert.deepEqual([decision.observe, decision.exclusion], [false, 'collectors']);
    // Another one that is turned off does not help, its own does.
    assert.equal(decide(facts(some), { rules, withoutExclusions: ['self'] }).observe, false);
    assert.equal(decide(facts(some), { rules, withoutExclusions: ['collectors'] }).observe, true);
  });
}

test('a service that sends telemetry is no collector', () => {
  const some = {
    build: build({ dependencies: ['go.opentelemetry.io/otel', 'go.opentelemetry.io/collector/pdata'] }),
  };
  assert.equal(decide(facts(some), select(include({ go: true }))).observe, true);
  assert.equal(
    decide(facts({ exe: '/bin/otelcol-contrib', isGo: false }), select(include({ exe: 'otel*' }))).observe,
    true,
  );
});

test('mapscope leaves itself out, and says why', () => {
  const selection = select(include({ exe: '*' }));
  const decision = decide(processFacts(process.pid), selection);
  assert.deepEqual([decision.observe, decision.exclusion], [false, 'self']);
  assert.equal(
    decisionInWords(decision, selection),
    'the built-in exclusion self, for it is mapscope itself, or a process that it has started; rule 1 (include exe=*) would take it',
  );
});

test('why, in words', () => {
  const words = (some: Partial<ProcessFacts>, ...rules: Rule[]) =>
    decisionInWords(decide(facts(some), select(...rules)), select(...rules));
  assert.equal(words({}), 'no rule matches');
  assert.equal(
    words({}, include({ port: [80, 90], go: true })),
    'no rule matches yet; another would when it listens on its port',
  );
  assert.equal(
    words({ ports: [80] }, exclude({ exe: 'x' }), include({ port: [80, 80], go: true })),
    'rule 2 (include go, port=80)',
  );
});

test('the facts of a real process', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const own = processFacts(process.pid);
  assert.equal(own.exe, process.execPath);
  assert.match(own.command, /finding-rules\.test\.ts/);
  assert.ok(own.ports.includes(address.port), `${own.ports}`);
  assert.equal(own.isGo, false);
  const kernelThread = processFacts(2);
  assert.deepEqual([kernelThread.exe, kernelThread.command, kernelThread.isGo], [undefined, '', false]);
});

test('ports are of sockets that listen', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0',
    '   1: 0100007F:1F91 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1',
    '   2: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1',
  ].join('\n');
  assert.deepEqual(listenersIn(table), [
    { port: 8080, inode: '4711' },
    { port: 443, inode: '4713' },
  ]);
  assert.deepEqual(listenersIn(''), []);
});

test('labels of the downward API', () => {
  const text = 'app="shop"\napp.kubernetes.io/name="shop-v2"\nempty=""\nno label\nquote="a\\"b"\n';
  assert.deepEqual(
    [...labelsIn(text)],
    [
      ['app', 'shop'],
      ['app.kubernetes.io/name', 'shop-v2'],
      ['empty', ''],
    ],
  );
});
