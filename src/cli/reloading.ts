import { messageOf } from '../base/errors.ts';
import { configureLog, log } from '../base/log.ts';
import { countOf } from '../base/text.ts';
import { changesBetween } from '../config/changes.ts';
import type { Fleet, FleetChange } from '../session/fleet.ts';
import type { Asked } from './asked.ts';

export interface ReloadingOptions {
  /** The configuration file, for messages. */
  readonly path: string;
  /** What is in force at the start. */
  readonly first: Asked;
  /** Reads it again, and checks it as at the start. @throws UserError */
  readonly read: () => Asked;
}

/** Brings a changed configuration into force: all of it, or nothing. What comes of that is one line. */
export class Reloading {
  readonly #options: ReloadingOptions;
  #inForce: Asked;

  constructor(options: ReloadingOptions) {
    this.#options = options;
    this.#inForce = options.first;
  }

  reload(fleet: Fleet): void {
    const { path, read } = this.#options;
    try {
      const asked = read();
      const { live, anew, fixed } = changesBetween(this.#inForce.settings, asked.settings);
      if (fixed.length > 0) {
        const what = fixed.join(' and ');
        log(
          'warn',
          `${path} is not taken over: ${what} cannot be changed while mapscope runs; start it anew.`,
        );
        return;
      }
      configureLog({ format: asked.settings.logFormat, level: asked.settings.logLevel });
      const change = fleet.change(asked.selection, asked.settings);
      this.#inForce = asked;
      log('info', `${path} is in force${inWords([...live, ...anew], change)}.`);
    } catch (error) {
      log('warn', `${path} is not taken over, and nothing is changed: ${messageOf(error)}`);
    }
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
