import { readFileSync } from 'node:fs';
import { fileOf } from '../identity.ts';
import { podOf } from '../kubernetes.ts';

/** Where the downward API puts the labels of a pod, by the example in Kubernetes' documentation. */
const LABELS = 'etc/podinfo/labels';

/**
 * The labels of the pod that a process runs in, from a volume of the downward API: its own container's, or, in our own pod, ours.
 * Empty when there is none.
 */
export function podLabels(pid: number): ReadonlyMap<string, string> {
  const text = fileOf(pid, LABELS) ?? (podOf(pid)?.isOurs === true ? ownFile() : undefined);
  return labelsIn(text ?? '');
}

function ownFile(): string | undefined {
  try {
    return readFileSync(`/${LABELS}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** The labels in such a file: a line `key="value"` for each, the value with Go's escapes, which label values do not need. */
export function labelsIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, key, value] = /^([\w./-]+)="([\w.-]*)"$/.exec(line) ?? [];
      return key !== undefined && value !== undefined ? [[key, value] as const] : [];
    }),
  );
}
