import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkSummary } from '../support/accounts.ts';
import { mapscope } from '../support/command.ts';
import { startCollector } from './collector.ts';
import { type CollectedExport, metricNamed } from './otlp-json.ts';

for (const protocol of ['grpc', 'http/protobuf']) {
  test(`what a real program did arrives at a real collector, to the last lookup: ${protocol}`, {
    timeout: 300_000,
  }, async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'mapscope-end-to-end-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const collector = await startCollector(context);
    const report = join(folder, 'summary.json');
    const options = [
      '--mode',
      'all',
      '--format',
      'json',
      '--output',
      report,
      '--otlp-endpoint',
      protocol === 'grpc' ? collector.endpoint : collector.httpEndpoint,
    ];
    const tsc = ['node_modules/@typescript/typescript-linux-x64/lib/tsc', '-p', 'tsconfig.json'];
    // Several exports while it runs, so that counts can be seen to grow.
    const env = {
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_SERVICE_NAME: 'type-checker',
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    };
    const { status, stderr } = await mapscope(['run', ...options, '--', ...tsc], { env });
    assert.equal(status, 0, stderr);
    const summary = checkSummary(JSON.parse(readFileSync(report, 'utf8')));

    const total = (metric: ReturnType<typeof metricNamed>) =>
      (metric?.histogram?.dataPoints ?? []).reduce((sum, point) => sum + point.count, 0);
    // A large export goes in several requests; each metric is whole in one of them.
    const carrying = (all: readonly CollectedExport[]) =>
      all.filter((one) => metricNamed(one, 'gomap.lookup.probe_length'));
    const exports = carrying(
      await collector.until((all) => {
        const last = carrying(all).at(-1);
        return total(metricNamed(last, 'gomap.lookup.probe_length')) === summary.observed.lookups;
      }),
    );
    const totals = exports.map((one) => total(metricNamed(one, 'gomap.lookup.probe_length')));
    assert.ok(totals.length >= 2, `${totals.length} exports`);
    assert.deepEqual(
      totals,
      [...totals].sort((a, b) => a - b),
      'counts never fall',
    );

    const last = exports.at(-1);
    const probeLength = metricNamed(last, 'gomap.lookup.probe_length');
    assert.equal(probeLength?.unit, '{bucket}');
    assert.equal(metricNamed(last, 'gomap.lookup.key_comparisons')?.unit, '{comparison}');
    assert.equal(last?.resource['service.name'], 'type-checker');
    assert.equal(last?.resource['process.runtime.version'], summary.target.goVersion);
    assert.equal(last?.resource['process.pid'], summary.target.pid);
    const [busiest] = summary.callSites;
    const points = probeLength?.histogram?.dataPoints.filter(
      ({ attributes }) =>
        attributes['code.function.name'] === busiest?.function &&
        attributes['code.line.number'] === busiest?.line &&
        attributes['gomap.type'] === busiest?.type,
    );
    assert.deepEqual(points?.map(({ attributes }) => attributes['gomap.lookup.result']).sort(), [
      'hit',
      'miss',
    ]);
    assert.equal(
      points?.find(({ attributes }) => attributes['gomap.lookup.result'] === 'hit')?.count,
      busiest?.hits,
    );
  });
}
