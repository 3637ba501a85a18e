/** One line of the diagnosis: what was looked at, how it is, and how to fix it. */
export interface Finding {
  readonly subject: string;
  readonly state: 'ok' | 'limited' | 'missing';
  readonly detail: string;
  readonly remedy?: string;
}
