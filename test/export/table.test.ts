import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { noCost } from '../../src/model/heavy/goroutines.ts';
import type { GoroutineCost, Snapshot } from '../../src/model/snapshot.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { summarize } from '../../src/report/summary/summarize.ts';
import { summaryTable } from '../../src/report/table/table.ts';
import { callSite, following, snapshot, TARGET } from '../model/fixtures.ts';
import { goroutineCost, increase } from '../model/goroutines.ts';
import { spike, spikeTotals } from './spikes.ts';

const LONG = callSite(1234, {
  hit: true,
  type: 'map[example.com/shop/internal/catalog.ProductKey]*example.com/shop/internal/catalog.Product',
  callSite: {
    function: 'example.com/shop/internal/catalog/search.(*Index[go.shape.string]).lookupAll',
    file: '/home/builder/src/example.com/shop/internal/catalog/search/index.go',
    line: 1287,
  },
});

function summary(
  overrides: Partial<Snapshot> = {},
  sites = [callSite(30), callSite(6, { hit: false }), LONG],
): Summary {
  return summarize(TARGET, 'windows', snapshot(sites, overrides));
}

const lines = (text: string): string[] => text.trimEnd().split('\n');

test('the table says what was seen, busiest first', () => {
  const [head = '', blank, columns = '', first = '', second = ''] = lines(summaryTable(summary()));
  assert.equal(head, '/opt/shop/bin/shop (pid 4711, go1.26.1, Swiss maps)');
  assert.equal(blank, '');
  assert.deepEqual(columns.trim().split(/\s{2,}/), [
    'lookups',
    'hit %',
    'probes',
    'p99',
    'max',
    'compares',
    'max',
    'load',
    'entries',
    'type',
    'call site',
  ]);
  assert.deepEqual(first.trim().split(/\s{2,}/), [
    '1,234',
    '100.0',
    '2.00',
    '3',
    '3',
    '1.00',
    '1',
    '0.50',
    '100',
    LONG.type,
    `${LONG.callSite.file}:1287 (*Index[go.shape.string]).lookupAll`,
  ]);
  assert.deepEqual(
    second
      .trim()
      .split(/\s{2,}/)
      .slice(0, 2),
    ['36', '83.3'],
  );
});

for (const width of [80, 100, 120, 200]) {
  test(`on a terminal of ${width} columns every row fits, and tells file, line and function`, () => {
    const rows = lines(summaryTable(summary(), { width })).slice(2, 5);
    for (const row of rows) {
      assert.ok([...row].length <= width, `${[...row].length}: ${row}`);
    }
    assert.match(rows[1] ?? '', /index\.go:1287 .*All$/);
    assert.match(rows[2] ?? '', /store\.go:42 .*Find$/);
  });
}

test('columns align also below and above wide characters', () => {
  const wide = callSite(7, {
    type: 'map[地図.鍵]string',
    callSite: { function: 'main.検索🗺', file: '/src/店/索引.go', line: 7 },
  });
  for (const width of [80, 200]) {
    const rows = lines(summaryTable(summary({}, [wide, LONG, callSite(30)]), { width })).slice(2, 6);
    const columns = rows.map((row) =>
      stringWidth(row.slice(0, row.search(/call site|\/src\/店|…?\S*索引\.go|\S*index\.go|\S*store\.go/))),
    );
    assert.equal(new Set(columns).size, 1, rows.join('\n'));
    for (const row of rows) {
      assert.ok(stringWidth(row) <= width, row);
    }
  }
});

test('colours only when asked for', () => {
  const text = summary({ dropped: { table_full: 1 } });
  const plain = summaryTable(text);
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const colored = summaryTable(text, { stream: terminal });
  assert.equal(stripVTControlCharacters(plain), plain);
  assert.notEqual(colored, plain);
  assert.equal(stripVTControlCharacters(colored), plain);
  assert.equal(summaryTable(text, { stream: new PassThrough() }), plain, 'not in a file');
  const poor = Object.assign(new PassThrough(), { isTTY: true, getColorDepth: () => 1 });
  assert.equal(summaryTable(text, { stream: poor }), plain, 'NO_COLOR, or a terminal that has none');
});

test('the top call sites are shown, and said to be a part', () => {
  const text = summaryTable(summary(), { top: 1 });
  assert.match(text, /^Shown: the first 1 of 2 call sites, by lookups; --top shows more\.$/m);
  assert.equal(lines(text).filter((line) => /^ +[\d,]+ .*\.go:/.test(line)).length, 1);
});

test('the legend is of the columns that are there', () => {
  assert.match(summaryTable(summary()), /^probes: .* on average, of all but 1 %, at most; compares: /m);
  const narrow = summaryTable(summary(), { width: 80 });
  assert.match(narrow, /^probes: .* on average, at most; compares:/m);
  assert.doesNotMatch(narrow, /p99/);
});

test('the totals tell how long was looked', () => {
  assert.match(
    summaryTable(summary({ windows: 12, attachedSeconds: 0.25, seconds: 30 })),
    /1,270 lookups, 99\.5 % of them hits, at 2 call sites in 12 windows of 250 ms in all, out of 30\.0 s\./,
  );
  const all = summarize(TARGET, 'all', snapshot([callSite(1)], { seconds: 2 }));
  assert.match(
    summaryTable(all),
    /1 lookup, 100\.0 % of them hits, at 1 call site in 2\.0 s, always attached\./,
  );
});

test('what is missing or uncertain is said in words', () => {
  const text = summaryTable(
    summary({
      unreadable: { stack: 3, map: 4, type: 0 },
      dropped: { table_full: 1 },
      inexact: { long_key: 2 },
      refused: [{ name: 'mapaccess1_fast32', reason: 'its code has an unknown shape' }],
    }),
  );
  assert.match(text, /^7 lookups could not be decoded \(map 4, stack 3\) and are not in these numbers\.$/m);
  assert.match(text, /^1 lookup could not be recorded \(table full 1\) and is not in these numbers\.$/m);
  assert.match(text, /^The result or comparison count of 2 lookups is not certain \(long key 2\)\.$/m);
  assert.match(text, /^Lookups by mapaccess1_fast32 were not observed \(its code has an unknown shape\)\.$/m);
  assert.doesNotMatch(text, /Every lookup/);
});

test('when nothing is missing, that is said', () => {
  assert.match(summaryTable(summary({ unreadable: {} })), /Every lookup seen was decoded and recorded\.$/m);
});

test('without lookups there is no table', () => {
  const text = summaryTable(summary({ unreadable: {}, seconds: 3 }, []));
  assert.match(text, /No map lookups were recorded in 1 window/);
  assert.match(
    text,
    /Assignments \(m\[k\] = v, m\[k\]\+\+\), delete, range, and sync\.Map .* are not watched\./,
  );
  assert.doesNotMatch(text, /probes/);
});

test('names from the binary cannot control the terminal', () => {
  const evil = callSite(1, {
    type: 'map[\u001b[31mstring]int',
    callSite: { function: 'main.\u001b]0;title\u0007f', file: '/src/\r\u202eog.c', line: 1 },
  });
  const target = { ...TARGET, exe: '/tmp/\u001b[2Jshop' };
  const text = summaryTable(
    summarize(target, 'all', snapshot([evil], { refused: [{ name: '\u001bx', reason: '\nfake line' }] })),
  );
  const controls = [...text].filter((character) => /[\p{Cc}\p{Cf}]/u.test(character) && character !== '\n');
  assert.deepEqual(controls, []);
  assert.doesNotMatch(text, /^fake line/m);
});

test('spikes stand below the table: how many, and the newest', () => {
  const { traceId: _, ...untraced } = spike({ goroutine: 5, type: 'map[a]b' });
  const latest = [spike(), untraced, spike(), spike()];
  const told = lines(summaryTable(summary({ spikes: spikeTotals({ latest }) })));
  const at = told.findIndex((line) => line.includes('spike'));
  assert.equal(told[at], '7 lookups were spikes: more probes or comparisons than 32. The newest:');
  assert.match(
    told[at + 1] ?? '',
    /^ {2}9 probes, 70 compares, map\[string\]int, .*store\.go:42 .*, goroutine 991, trace a+1$/,
  );
  assert.match(told[at + 2] ?? '', /^ {2}9 probes, 70 compares, map\[a\]b, .*, goroutine 5$/);
  assert.ok(told[at + 3]?.startsWith('  9 probes') && !told[at + 4]?.startsWith('  '), 'three at most');
  const none = spikeTotals({ threshold: { factor: 8 }, seen: 0, latest: [] });
  assert.ok(
    lines(summaryTable(summary({ spikes: none }))).includes(
      '0 lookups were spikes: more probes or comparisons than 8 times the mean of their call site.',
    ),
  );
  assert.ok(!summaryTable(summary()).includes('spike'));
});

const goroutines = (...kept: GoroutineCost[]): Pick<Snapshot, 'goroutines'> => ({
  goroutines: { kept, other: noCost(), unattributed: {} },
});

test('the heaviest goroutines, and the rest in one line', () => {
  const kept = [
    goroutineCost(17, 600),
    goroutineCost(18, 300, 20),
    goroutineCost(1, 200),
    goroutineCost(5, 170),
  ];
  const text = lines(summaryTable(summary(goroutines(...kept)), { goroutines: 2 }));
  const start = text.findIndex((line) => line.includes('goroutine'));
  assert.deepEqual(
    text.slice(start, start + 5).map((line) => line.trim().split(/\s{2,}/)),
    [
      ['lookups', 'share %', 'hit %', 'probes', 'compares', 'goroutine'],
      ['600', '47.2', '50.0', '1.00/1', '0.00/0', '17, started by 1'],
      ['300+', '23.6', '50.0', '1.00/1', '0.00/0', '18, started by 1'],
      ['370', '29.1', 'all others'],
      ['+: some of its lookups may be counted under all others'],
    ],
  );
});

test('one goroutine alone takes a sentence, none takes nothing', () => {
  const alone = summaryTable(summary(goroutines(goroutineCost(1, 1270))));
  assert.match(alone, /^All by goroutine 1\.$/m);
  assert.doesNotMatch(alone, /share/);
  assert.doesNotMatch(summaryTable(summary()), /goroutine/);
  const none = summary(goroutines(goroutineCost(1, 1270)));
  assert.doesNotMatch(summaryTable(none, { goroutines: 0 }), /goroutine/);
});

test('lookups that no goroutine could be found for are said', () => {
  const text = summaryTable(
    summary({
      goroutines: { kept: [], other: increase(0, 12), unattributed: { no_room: 12 } },
      fullTables: { goroutines: 12 },
    }),
  );
  assert.match(text, /12 lookups could not be counted per goroutine: too many/);
});

test('spans are shown with the time that their lookups took, and losses in following them', () => {
  const span = {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    goroutine: 42,
    lookups: 1000,
    hits: 900,
    probes: 1500,
    keyComparisons: 1000,
    partsCompared: 1000,
  };
  const spans = { kept: [span], otherLookups: 0, outside: { no_span: 3, no_room: 2 } };
  const shown = lines(
    summaryTable(summary({ spans, following: following(), fullTables: { spans: 2, followed_spans: 4 } })),
  );
  assert.ok(
    shown.some((line) => /^ +1,000 +90\.0 +1,500 +1,000 +14\.0 +42 +4bf9\S+ 00f067aa0ba902b7$/.test(line)),
  );
  assert.ok(shown.some((line) => /only lookups seen in windows; times are estimates/.test(line)));
  assert.ok(shown.includes('2 lookups could not be counted per span: too many spans made lookups at once.'));
  assert.ok(
    shown.includes('1 span start or end could not be followed; some lookups may lack their span.') &&
      shown.includes('4 span starts had no room to be followed; some lookups may lack their span.'),
    shown.join('\n'),
  );
});

test('what observation cost is told in one line', () => {
  const line = (text: string) => text.split('\n').find((one) => one.startsWith('Cost:'));
  const seen = summary({ windows: 12 });
  assert.equal(
    line(summaryTable(seen)),
    "Cost: about 0.2 % of the target's CPU time, 1 ms (budget 1 %): 1,273 hits in 12 windows, 0.60 µs each, 1,273 decoded for 0.50 µs more, and 20 % on both for caches.",
  );
  const overhead = { ...seen.overhead, budget: null, measured: false, stops: 2 };
  assert.match(
    line(summaryTable({ ...seen, mode: 'all', overhead })) ?? '',
    /\(no limit in mode all\): 1,273 hits, 0\.60 µs each \(assumed\), .* caches; the budget could not be kept 2 times\.$/,
  );
});

test('the busiest line is named in a sentence, with its share and its work', () => {
  const sites = [callSite(30), callSite(6, { hit: false, type: 'map[int]int' }), LONG];
  const text = summaryTable(summary({}, sites));
  assert.match(
    text,
    /^Busiest line: \/home\/.*\/index\.go:1287 \(\*Index\[go\.shape\.string\]\)\.lookupAll, with 97\.2 % of the lookups seen; each visited 2\.00 groups and compared 1\.00 keys on average\.$/m,
  );
  // Several types in one line are one line.
  const shared = [
    callSite(30),
    callSite(31, { type: 'map[int]int' }),
    callSite(40, { callSite: LONG.callSite }),
  ];
  assert.match(summaryTable(summary({}, shared)), /^Busiest line: .*store\.go:42 .* with 60\.4 %/m);
  assert.doesNotMatch(summaryTable(summary({}, [])), /Busiest/);
});

for (const width of [80, 100]) {
  test(`every line fits ${width} columns`, () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const seen = summary({
      unreadable: { stack: 3, map: 4 },
      dropped: { table_full: 1 },
      inexact: { long_key: 2 },
      refused: [
        { name: 'mapaccess1_fast32', reason: `its code at ${'/a/long/path'.repeat(20)} is not known` },
      ],
      spikes: spikeTotals({ latest: [spike({ traceId })] }),
      following: following(),
      ...goroutines(goroutineCost(17, 600), goroutineCost(18, 300, 20)),
    });
    for (const line of lines(summaryTable(seen, { width }))) {
      assert.ok(stringWidth(line) <= width, `${stringWidth(line)}: ${line}`);
    }
  });
}

test('a declared type is shown with what it is of: in its column, or once below', () => {
  const declared = { type: 'ast.SymbolTable', underlyingType: 'map[string]*ast.Symbol' };
  const other = { ...LONG, ...declared };
  const sites = [callSite(30, declared), callSite(6, { ...declared, hit: false }), other];
  const whole = 'ast.SymbolTable = map[string]*ast.Symbol';
  const wide = lines(summaryTable(summary({}, sites)));
  assert.equal(wide.filter((line) => line.includes(`  ${whole}  `)).length, 2);
  const narrow = lines(summaryTable(summary({}, sites), { width: 100 }));
  assert.equal(narrow.filter((line) => / {2}ast\.SymbolTable {2}/.test(line)).length, 2);
  assert.deepEqual(
    narrow.filter((line) => line.includes(whole)),
    [`  ^ ${whole}`],
  );
  const byType = lines(summaryTable(summary({}, sites), { by: 'type', width: 100 }));
  assert.equal(byType.filter((line) => line.endsWith(`  ${whole}`)).length, 1);
  assert.match(summaryTable(summary({}, sites), { filter: 'map[string]*ast' }), /All 2 call sites/);
});
