import { statSync } from 'node:fs';
import { type Signal, variablesOf } from '../settings/endpoint.ts';
import { text } from '../settings/environment.ts';

const FILES = ['CERTIFICATE', 'CLIENT_KEY', 'CLIENT_CERTIFICATE'];

/** Changes whenever one of a signal's files of certificates and keys does. */
export function certificatesState(signal: Signal): string {
  return FILES.map((what) => {
    const [path] = variablesOf(signal, what).flatMap((name) => text(name) ?? []);
    return path === undefined ? '' : fileState(path);
  }).join(' ');
}

function fileState(path: string): string {
  try {
    // Kubernetes replaces a link on the way to the file, so that even its number may be the same.
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join('/');
  } catch {
    return 'absent';
  }
}
