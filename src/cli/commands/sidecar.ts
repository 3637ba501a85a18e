import { EXIT, UserError } from '../../base/errors.ts';
import { configureLog, log } from '../../base/log.ts';
import type { SelectionOptions } from '../../config/criteria.ts';
import type { Settings } from '../../config/settings.ts';
import { addon } from '../../kernel/addon.ts';
import { logsSettings } from '../../otel/settings/logs-settings.ts';
import { otlpSettings } from '../../otel/settings/metrics-settings.ts';
import { Fleet } from '../../session/fleet.ts';
import { type Asked, readAsked } from '../asked.ts';
import { openPage } from '../page.ts';
import { Reloading } from '../reloading.ts';
import { EndingSignals, endWanted } from '../signals.ts';

/**
 * `mapscope sidecar --config FILE`: observes and exports what the rules include, whenever it comes, until a signal asks for the
 * end. It writes no report, so that it may run for ever. SIGHUP has it read the file again.
 *
 * @throws UserError when nothing could ever be observed: there is no rule, or no right to use BPF
 */
export async function sidecar(options: SelectionOptions): Promise<void> {
  const first = read(options);
  const { selection, settings } = first;
  configureLog({ format: settings.logFormat, level: settings.logLevel });
  const { bpf, bpfError } = addon.features();
  if (!bpf) {
    throw new UserError(bpfError, EXIT.cannotObserve);
  }
  const signals = new EndingSignals();
  const requested = endWanted(signals, settings);
  const { config } = options;
  const reloading =
    typeof config === 'string'
      ? new Reloading(signals, { path: config, first, read: () => read(options), withReport: false })
      : undefined;
  if (otlpSettings(settings.otlpEndpoint, () => {}) === undefined) {
    log('warn', 'Nothing is exported: set otlpEndpoint, or OTEL_EXPORTER_OTLP_ENDPOINT.');
  }
  const page = await openPage(settings);
  const fleet = new Fleet(
    { selection, settings, ...(page !== undefined && { watcher: page }), onSeen: () => {} },
    requested,
  );
  const running = fleet.run();
  reloading?.of(fleet);
  const { observed, missed } = await running;
  const ended = missed === 0 ? '' : `; ${missed} others had ended before they could be`;
  log('info', `mapscope has observed ${observed} processes${ended}.`);
  await page?.close();
  signals.done();
}

/** What is asked for, checked as far as that can be done before anything is observed. @throws UserError */
function read(options: SelectionOptions): Asked {
  const { selection, settings } = readAsked(options);
  if (!selection.rules.some(({ action }) => action === 'include')) {
    const advice = 'pass --go for every Go program, or add targets, a list of rules, to the file of --config';
    throw new UserError(`No rule includes a process: ${advice}.`, EXIT.usage);
  }
  otlpSettings(settings.otlpEndpoint, () => {});
  logsSettings({ endpoint: settings.otlpEndpoint, logsEndpoint: settings.otlpLogsEndpoint }, () => {});
  return { selection, settings: withoutReport(settings) };
}

/** What only reports show is not counted. */
function withoutReport(settings: Settings): Settings {
  return { ...settings, spans: 0, ...(settings.perGoroutine === undefined && { goroutines: 0 }) };
}
