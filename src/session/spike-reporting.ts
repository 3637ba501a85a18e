import type { Resource } from '@opentelemetry/resources';
import { type Log, once } from '../base/log.ts';
import type { Settings } from '../config/settings.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import type { SpikeOptions } from '../observe/assemble.ts';
import { SpikeExport } from '../otel/logs/export.ts';
import { logsSettings } from '../otel/settings/logs-settings.ts';

/**
 * More than a healthy map ever needs. The most is that of a miss in a full classic map by the fast functions, which
 * compare all eight slots of each bucket: chains of three buckets (24) happen, of five (40) they do not.
 */
const DEFAULT_LIMIT = 32;

/** The spikes of one target: whether mapscope looks for them, and where it sends them. */
export class SpikeReporting {
  /** For the observation; undefined when no spikes are looked for. */
  readonly options: SpikeOptions | undefined;
  readonly #export: SpikeExport | undefined;
  readonly #log: Log;

  /** @param resource describes the target */
  constructor(target: Target, resource: Resource, settings: Settings, log: Log) {
    this.#log = log;
    const found =
      settings.spikes === 'off'
        ? undefined
        : logsSettings(
            { endpoint: settings.otlpEndpoint, logsEndpoint: settings.otlpLogsEndpoint },
            once(log),
          );
    if (found !== undefined) {
      const { mapImplementation } = target;
      this.#export = new SpikeExport({
        settings: found,
        mapImplementation,
        resource,
        log,
      });
    }
    const threshold = settings.spikes ?? (found === undefined ? 'off' : { limit: DEFAULT_LIMIT });
    if (threshold !== 'off') {
      this.options = { threshold, onSpikes: (spikes) => this.#export?.send(spikes) };
    }
  }

  /** A snapshot that also says what became of the spikes after it. */
  account(snapshot: Snapshot): Snapshot {
    const { spikes } = snapshot;
    if (spikes === undefined || this.#export === undefined) {
      return snapshot;
    }
    const { delivered, undelivered } = this.#export;
    return {
      ...snapshot,
      spikes: { ...spikes, delivered, suppressed: { ...spikes.suppressed, not_delivered: undelivered } },
    };
  }

  /** Sends the last ones, and tells the user when that fails. */
  async stop(): Promise<void> {
    const delivery = await this.#export?.shutdown();
    if (delivery?.problem !== undefined) {
      this.#log('warn', delivery.problem);
    }
  }
}
