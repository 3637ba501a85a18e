import { Document, isCollection, isScalar, type Pair, type Scalar } from 'yaml';
import { CONFIG_VERSION } from '../file/version.ts';
import type { EffectiveSetting, Origin } from './effective.ts';

/** The name and version of the JSON document that `config print` writes. */
const CONFIG_SCHEMA = 'mapscope/config/v1';

/** Settings as a configuration file: one that may be read back. @param withOrigin each with a comment that says where it is from */
export function settingsYaml(settings: readonly EffectiveSetting[], withOrigin: boolean): string {
  const set = settings.filter(({ value }) => value !== undefined);
  const document = new Document({
    version: CONFIG_VERSION,
    ...Object.fromEntries(set.map(({ name, value }) => [name, value])),
  });
  if (withOrigin) {
    for (const { name, origin } of set) {
      comment(pairOf(document, name), ` ${originInWords(origin)}`);
    }
  }
  return document.toString({ lineWidth: 0 });
}

function pairOf(document: Document, name: string): Pair<Scalar, unknown> | undefined {
  const { contents } = document;
  const pairs = isCollection(contents) ? (contents.items as Pair<Scalar, unknown>[]) : [];
  return pairs.find(({ key }) => key.value === name);
}

function comment(pair: Pair<Scalar, unknown> | undefined, text: string): void {
  if (isScalar(pair?.value)) {
    pair.value.comment = text;
  } else if (pair !== undefined) {
    pair.key.commentBefore = text;
  }
}

/** Settings as a JSON document. One that is not set is null. */
export function settingsDocument(settings: readonly EffectiveSetting[]): unknown {
  return {
    schema: CONFIG_SCHEMA,
    version: CONFIG_VERSION,
    settings: Object.fromEntries(settings.map(({ name, value = null, origin }) => [name, { value, origin }])),
  };
}

function originInWords(origin: Origin): string {
  switch (origin.kind) {
    case 'option':
    case 'variable':
      return origin.name;
    case 'file':
      return origin.line === null ? origin.path : `${origin.path}:${origin.line}`;
    case 'default':
      return 'default';
  }
}
