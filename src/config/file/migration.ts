import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { type Problem, placeIn } from './problem.ts';
import { settingsFile } from './settings-file.ts';
import { CONFIG_VERSION } from './version.ts';

/** A file in the present version. */
export interface Migrated {
  readonly text: string;
  /** What was changed, a sentence each; none where the file was as it should be. */
  readonly changes: readonly string[];
}

/**
 * Brings the text of a configuration to the present version: says the version, and gives settings that are written like options
 * (`otlp-endpoint`) their names. Comments, order and references to the environment stay.
 *
 * @param names the settings there are
 * @returns what is wrong, where the text cannot be understood, or is of a version that is not known
 */
export function migrate(path: string, text: string, names: readonly string[]): Migrated | Problem[] {
  // References are not looked up: they stay, and whether variables are set here says nothing.
  const problems = settingsFile(path, text.replaceAll('$', 'x'), {}).problems;
  if (problems.length > 0) {
    return [...problems];
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (!isMap(document.contents)) {
    document.contents = document.createNode({}) as never;
  }
  const mapping = document.contents as unknown as YAMLMap;
  const changes = [...renamed(path, mapping, lines, names), ...withVersion(mapping)];
  return { text: changes.length === 0 ? text : document.toString({ lineWidth: 0 }), changes };
}

function* renamed(
  path: string,
  mapping: YAMLMap,
  lines: LineCounter,
  names: readonly string[],
): Generator<string> {
  for (const { key } of mapping.items) {
    if (!isScalar(key)) {
      continue;
    }
    const written = String(key.value);
    const name = written.replace(/^--|-([a-z])/g, (_all, letter: string | undefined) =>
      (letter ?? '').toUpperCase(),
    );
    if (name !== written && names.includes(name) && !mapping.has(name)) {
      key.value = name;
      const at = lines.linePos(key.range?.[0] ?? 0);
      yield `${placeIn(path, { line: at.line, column: at.col })}${written} is ${name} now.`;
    }
  }
}

/** The version comes first; a comment on what came first until now stays with that. */
function* withVersion(mapping: YAMLMap): Generator<string> {
  if (mapping.has('version')) {
    return;
  }
  const first = mapping.items[0]?.key;
  if (isScalar(first)) {
    const [ofFile = '', ofFirst = ''] = splitComment(mapping.commentBefore ?? first.commentBefore ?? '');
    mapping.commentBefore = ofFile || null;
    first.commentBefore = ofFirst || null;
  }
  mapping.set('version', CONFIG_VERSION);
  mapping.items.unshift(...mapping.items.splice(-1));
  yield `version: ${CONFIG_VERSION} is added.`;
}

/** Editors look for the schema's name in the first line. */
function splitComment(comment: string): (string | undefined)[] {
  const [, ofFile, ofFirst] = /^( yaml-language-server:[^\n]*)?\n?(.*)$/s.exec(comment) ?? [];
  return [ofFile, ofFirst];
}
