import { DiagLogLevel, diag } from '@opentelemetry/api';
import type { Log } from '../../base/log.ts';

/** The delivery monitor logs the same in better words, and only when the state changes. */
const REPORTED_ELSEWHERE = 'PeriodicExportingMetricReader';

/** More warnings than a configuration can cause. It is a bound for the case that one contains a number that changes. */
const MOST = 50;

/**
 * Logs the warnings of the OpenTelemetry libraries, each once: a certificate file that cannot be read, data points that a
 * receiver refused. Without this the libraries are silent.
 */
export function forwardDiagnostics(log: Log): void {
  const logged = new Set<string>();
  const forward = (...parts: unknown[]): void => {
    const text = parts.map(asText).join(' ').trim();
    if (!text.includes(REPORTED_ELSEWHERE) && !logged.has(text) && logged.size < MOST) {
      logged.add(text);
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
