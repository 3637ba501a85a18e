import { getBooleanFromEnv, getStringFromEnv } from '@opentelemetry/core';
import { EXIT, UserError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';

/** The export cannot be set up as asked for: wrong usage, with a sentence that says what to change. */
export class OtlpConfigurationError extends UserError {
  constructor(sentence: string) {
    super(sentence, EXIT.usage);
  }
}

/**
 * What a signal's OTEL_*_EXPORTER says: `otlp` when it asks for that, `none` when for something else, perhaps for something that mapscope
 * cannot do, which is said then.
 */
export function chosenExporter(variable: string, log: Log): 'otlp' | 'none' | undefined {
  if (getBooleanFromEnv('OTEL_SDK_DISABLED')) {
    return 'none';
  }
  const value = text(variable)?.toLowerCase();
  if (value === undefined) {
    return undefined;
  }
  const names = value.split(',').map((name) => name.trim());
  const others = names.filter((name) => name !== 'otlp' && name !== 'none');
  const result = names.includes('otlp') ? 'otlp' : 'none';
  if (others.length > 0) {
    const consequence = result === 'otlp' ? 'only over OTLP' : 'only over OTLP, and so not at all';
    log(
      'warn',
      `${variable}=${value}: mapscope cannot export to ${others.join(', ')}; it exports ${consequence}.`,
    );
  }
  return result;
}

/**
 * A period in milliseconds. OpenTelemetry's getNumberFromEnv would do for half of it: it takes 0, negative numbers and
 * those that no timer can wait, and one sentence for everything that is wrong says more.
 */
export function milliseconds(name: string, otherwise: number, log: Log): number {
  const value = text(name);
  if (value === undefined) {
    return otherwise;
  }
  const number = Number(value);
  // Timers do not wait longer than 2^31 - 1 ms; they fire at once instead.
  if (Number.isFinite(number) && number >= 1 && number < 2 ** 31) {
    return number;
  }
  log('warn', `${name}=${value} is ignored: it must be a number of milliseconds above 0 and below 2^31.`);
  return otherwise;
}

/** The meaning of a variable that has a fixed set of values. */
export function oneOf<T>(name: string, values: ReadonlyMap<string, T>, otherwise: T, log: Log): T {
  const value = text(name)?.toLowerCase();
  if (value !== undefined && !values.has(value)) {
    log('warn', `${name}=${value} is ignored: it must be one of ${[...values.keys()].join(', ')}.`);
  }
  return values.get(value ?? '') ?? otherwise;
}

/** A variable without the spaces around it; undefined when nothing is left. */
export function text(name: string): string | undefined {
  return getStringFromEnv(name)?.trim();
}

/** A number from `least` up. */
export function wholeNumber(name: string, least: number, otherwise: number, log: Log): number {
  const value = text(name);
  const number = Number(value ?? otherwise);
  if (Number.isSafeInteger(number) && number >= least) {
    return number;
  }
  log('warn', `${name}=${value} is ignored: it must be a whole number from ${least} up.`);
  return otherwise;
}
