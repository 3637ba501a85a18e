import type { Environment } from './file/substitution.ts';
import { OPTIONS, SETTING_NAMES } from './options.ts';

/** `otlpEndpoint` is `MAPSCOPE_OTLP_ENDPOINT` in the environment. */
export function variableName(setting: string): string {
  return `MAPSCOPE_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The settings that variables of the environment give, as texts like those of the command line. One that is empty gives none. */
export function settingsInEnvironment(environment: Environment): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    SETTING_NAMES.flatMap((name) => {
      const value = environment[variableName(name)]?.trim();
      const { argument, isOptional } = OPTIONS[name];
      return value ? [[name, argument === undefined || isOptional ? boolean(value) : value]] : [];
    }),
  );
}

/** An option without a value is one that is true. */
function boolean(value: string): string | boolean {
  return value === 'true' || (value === 'false' ? false : value);
}
