import { EXIT, UserError } from '../../base/errors.ts';
import { log } from '../../base/log.ts';
import type { Settings } from '../../config/settings.ts';
import { addon } from '../../kernel/addon.ts';
import { otlpSettings } from '../../otel/settings/metrics-settings.ts';
import { observeFleet } from '../../session/fleet.ts';
import type { Selection } from '../../target/finding/selection.ts';
import { openPage } from '../page.ts';
import { EndingSignals, endWanted } from '../signals.ts';

/**
 * `mapscope sidecar --config FILE`: observes and exports what the rules include, whenever it comes, until a signal asks for the
 * end. It writes no report, so that it may run for ever.
 *
 * @throws UserError when nothing could ever be observed: there is no rule, or no right to use BPF
 */
export async function sidecar(selection: Selection, settings: Settings): Promise<void> {
  if (!selection.rules.some(({ action }) => action === 'include')) {
    const advice = 'pass --go for every Go program, or add targets, a list of rules, to the file of --config';
    throw new UserError(`No rule includes a process: ${advice}.`, EXIT.usage);
  }
  const { bpf, bpfError } = addon.features();
  if (!bpf) {
    throw new UserError(bpfError, EXIT.cannotObserve);
  }
  const signals = new EndingSignals();
  const requested = endWanted(signals, settings);
  if (otlpSettings(settings.otlpEndpoint, () => {}) === undefined) {
    log('warn', 'Nothing is exported: set otlpEndpoint, or OTEL_EXPORTER_OTLP_ENDPOINT.');
  }
  const page = await openPage(settings);
  const { observed, missed } = await observeFleet(
    {
      selection,
      settings: withoutReport(settings),
      ...(page !== undefined && { watcher: page }),
      onSeen: () => {},
    },
    requested,
  );
  const ended = missed === 0 ? '' : `; ${missed} others had ended before they could be`;
  log('info', `mapscope has observed ${observed} processes${ended}.`);
  await page?.close();
  signals.done();
}

/** What only reports show is not counted. */
function withoutReport(settings: Settings): Settings {
  return { ...settings, spans: 0, ...(settings.perGoroutine === undefined && { goroutines: 0 }) };
}
