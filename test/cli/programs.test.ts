import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Summary, summarySchema } from '../../src/report/summary/schema.ts';
import { summaryOf } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const LONG = { timeout: 300_000 };

/** What holds for every report, whatever the program. */
function checkSummary(summary: Summary): void {
  summarySchema.parse(summary);
  const { lookups, hits, misses, unreadable, dropped } = summary.observed;
  assert.equal(hits + misses, lookups);
  assert.equal(unreadable, 0);
  assert.equal(dropped, 0);
  assert.deepEqual(summary.refusedFunctions, []);
  const total = (of: readonly { lookups: number }[]) => of.reduce((sum, { lookups: n }) => sum + n, 0);
  assert.equal(total(summary.callSites), lookups);
  assert.equal(total(summary.functions), lookups);
  const { share, targetCpuSeconds, costSeconds, attachedSeconds } = summary.overhead;
  assert.ok(targetCpuSeconds !== null && targetCpuSeconds > 0 && share !== null && share > 0);
  assert.equal(share, costSeconds / targetCpuSeconds);
  assert.ok(attachedSeconds <= summary.observed.seconds);
  const { heaviest = [], other, unattributed = {} } = summary.goroutines ?? {};
  assert.ok(other && heaviest.length > 0 && heaviest.length <= 10);
  assert.equal(total([...heaviest, other]), lookups);
  assert.deepEqual(unattributed, {});
  for (const site of summary.callSites) {
    assert.equal(
      site.probeLength.counts.reduce((a, b) => a + b),
      site.lookups,
    );
    assert.ok(site.line > 0, site.function);
    const map = site.underlyingType ?? site.type;
    assert.match(map, /^map\[/);
    assert.notEqual(site.type, site.underlyingType);
  }
}

test(
  "TypeScript's compiler, Go 1.26, stripped: more than a million lookups, all decoded and named",
  LONG,
  async () => {
    const tsc = 'node_modules/@typescript/typescript-linux-x64/lib/tsc';
    const summary = await summaryOf([
      'run',
      '--mode',
      'all',
      '--format',
      'json',
      '--',
      tsc,
      '-p',
      'tsconfig.json',
    ]);
    checkSummary(summary);
    assert.ok(summary.observed.lookups > 1_000_000, `${summary.observed.lookups} lookups`);
    assert.equal(summary.target.mapImplementation, 'swiss');
    assert.equal(summary.target.exitCode, 0);
    const own = summary.callSites.filter((site) =>
      site.file.startsWith('github.com/microsoft/typescript-go/'),
    );
    assert.ok(own.length > 100, `${own.length} call sites in typescript-go`);
    const tables = summary.callSites.filter(({ type }) => type === 'ast.SymbolTable');
    assert.ok(tables.length > 0);
    assert.ok(tables.every(({ underlyingType }) => underlyingType === 'map[string]*ast.Symbol'));
  },
);

const ESBUILDS = [
  { name: 'esbuild-go1.22', implementation: 'classic', goVersion: /^go1\.22/ },
  { name: 'esbuild-go1.23', implementation: 'classic', goVersion: /^go1\.23/ },
  { name: 'esbuild-go1.26', implementation: 'swiss', goVersion: /^go1\.26/ },
] as const;

for (const { name, implementation, goVersion } of ESBUILDS) {
  test(`${name} bundling a library: every lookup decoded and named`, LONG, async () => {
    const bundle = [
      '--bundle',
      '--platform=node',
      `--outfile=${join(folder, `${name}.js`)}`,
      '--log-level=error',
    ];
    const esbuild = [`node_modules/${name}/bin/esbuild`, 'node_modules/zod/index.js', ...bundle];
    const summary = await summaryOf(['run', '--mode', 'all', '--format', 'json', '--', ...esbuild]);
    checkSummary(summary);
    assert.equal(summary.target.exitCode, 0);
    assert.equal(summary.target.mapImplementation, implementation);
    assert.match(summary.target.goVersion, goVersion);
    assert.ok(summary.observed.lookups > 50_000, `${summary.observed.lookups} lookups`);
    assert.ok(summary.callSites.some((site) => site.function.includes('esbuild/internal/js_parser')));
  });
}
