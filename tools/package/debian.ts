import { run } from './run.ts';

/** The source package that an installed package of Debian's was made of. */
export interface DebianSource {
  readonly name: string;
  readonly version: string;
}

const FORMAT = ['source:Package', 'source:Version'].map((field) => `\${${field}}`).join(' ');

export async function sourceOf(packageName: string): Promise<DebianSource> {
  const said = await run('dpkg-query', ['--show', `--showformat=${FORMAT}`, packageName]);
  const [name, version] = said.trim().split(' ');
  if (name === undefined || version === undefined) {
    throw new Error(`Debian's package ${packageName} does not say what it was made of`);
  }
  return { name, version };
}
