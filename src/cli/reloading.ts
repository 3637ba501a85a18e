import { messageOf } from '../base/errors.ts';
import { configureLog, log } from '../base/log.ts';
import { countOf } from '../base/text.ts';
import { changesBetween } from '../config/changes.ts';
import type { Settings } from '../config/settings.ts';
import type { Fleet, FleetChange } from '../session/fleet.ts';
import type { Asked } from './asked.ts';
import type { EndingSignals } from './signals.ts';

export interface ReloadingOptions {
  /** The configuration file, for messages. */
  readonly path: string;
  /** What is in force at the start. */
  readonly first: Asked;
  /** Reads it again, and checks it as at the start. @throws UserError */
  readonly read: () => Asked;
  /** A report is written at the end, by the settings of the start. */
  readonly withReport: boolean;
}

/** What a report says of all that was observed: it is the same from the start to the end. */
const OF_REPORTS: readonly (keyof Settings)[] = ['mode', 'goroutines', 'perGoroutine', 'spans'];

/**
 * On SIGHUP brings a changed configuration into force: all of it, or nothing. What comes of that is one line. Hang-ups are taken from the
 * start on: one that comes before there is a fleet is not lost.
 */
export class Reloading {
  readonly #options: ReloadingOptions;
  #inForce: Asked;
  #fleet: Fleet | undefined;
  #isWaiting = false;

  constructor(signals: EndingSignals, options: ReloadingOptions) {
    this.#options = options;
    this.#inForce = options.first;
    signals.onHangUp(() => this.#hangUp());
  }

  /** From now on there is something to change. */
  of(fleet: Fleet): void {
    this.#fleet = fleet;
    if (this.#isWaiting) {
      this.#hangUp();
    }
  }

  #hangUp(): void {
    this.#isWaiting = this.#fleet === undefined;
    const asked = this.#fleet && this.#read();
    if (this.#fleet === undefined || asked === undefined) {
      return;
    }
    const { path } = this.#options;
    const { live, anew, fixed } = this.#changes(asked);
    if (fixed.length > 0) {
      const what = fixed.join(' and ');
      log('warn', `${path} is not taken over: ${what} cannot be changed while mapscope runs; start it anew.`);
      return;
    }
    configureLog({ format: asked.settings.logFormat, level: asked.settings.logLevel });
    const change = this.#fleet.change(asked.selection, asked.settings);
    this.#inForce = asked;
    log('info', `${path} is in force${inWords([...live, ...anew], change)}.`);
  }

  /** Undefined when it is wrong, which is said. */
  #read(): Asked | undefined {
    const { path, read } = this.#options;
    try {
      return read();
    } catch (error) {
      log('warn', `${path} is not taken over, and nothing is changed: ${messageOf(error)}`);
      return undefined;
    }
  }

  #changes({ settings }: Asked) {
    const { live, anew, fixed, report } = changesBetween(this.#inForce.settings, settings);
    const ofReport = this.#options.withReport
      ? [...report, ...anew.filter((name) => OF_REPORTS.includes(name))]
      : [];
    return { live, anew, fixed: [...fixed, ...ofReport] };
  }
}

function inWords(changed: readonly string[], { left, anew }: FleetChange): string {
  const parts = [
    ...(changed.length > 0 ? [`other ${changed.join(', ')}`] : []),
    ...(left > 0 ? [`${countOf(left, 'process', 'processes')} no longer observed`] : []),
    ...(anew > 0 ? [`${countOf(anew, 'process', 'processes')} observed anew, with counts from 0`] : []),
  ];
  return parts.length === 0 ? '' : `: ${parts.join('; ')}`;
}
