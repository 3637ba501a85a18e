import { DiagLogLevel, diag } from '@opentelemetry/api';
import type { Log } from './delivery.ts';

/** Said by the delivery monitor in better words, and only when it changes. */
const TOLD_ELSEWHERE = 'PeriodicExportingMetricReader';

/** More different warnings than a configuration can have; a bound, should one of them contain a number that changes. */
const MOST = 50;

/**
 * Lets the user see what the OpenTelemetry libraries warn of, such as a certificate file that cannot be read or data
 * points that a receiver refused; each warning once. Without this they are silent.
 */
export function forwardDiagnostics(log: Log): void {
  const told = new Set<string>();
  const forward = (...parts: unknown[]): void => {
    const text = parts.map(asText).join(' ').trim();
    if (!text.includes(TOLD_ELSEWHERE) && !told.has(text) && told.size < MOST) {
      told.add(text);
      log('warn', `OpenTelemetry: ${text}`);
    }
  };
  const ignore = (): void => {};
  diag.setLogger(
    { error: forward, warn: forward, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

function asText(part: unknown): string {
  if (part instanceof Error) {
    return part.message;
  }
  return typeof part === 'string' ? part : (JSON.stringify(part) ?? String(part));
}
