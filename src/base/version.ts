import { readFileSync } from 'node:fs';

/** Version of mapscope, from package.json. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const document: unknown = JSON.parse(text);
  return typeof document === 'object' &&
    document !== null &&
    'version' in document &&
    typeof document.version === 'string'
    ? document.version
    : 'unknown';
}
