import { readFileSync } from 'node:fs';
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Scalar,
  visit,
} from 'yaml';
import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import type { Position, Problem } from './problem.ts';
import { type Environment, substitute } from './substitution.ts';
import { versionProblem } from './version.ts';

/** A configuration file that was read: its settings by name, and where each of them is. */
export interface SettingsFile {
  readonly path: string;
  /** Without `version`. Empty where the file cannot be understood. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The same as written, with references to the environment. */
  readonly written: Readonly<Record<string, unknown>>;
  /** What is wrong with it whatever settings mean: syntax, references, version. */
  readonly problems: readonly Problem[];
  /** Where the key of a setting is, or of what is within one; undefined where it is not in the file. */
  positionOf(...keys: readonly PropertyKey[]): Position | undefined;
  /** The text of a value as it is written, when that has references to the environment; else undefined. */
  writtenWithReferences(...keys: readonly PropertyKey[]): string | undefined;
}

/** Reads and parses a file. @throws UserError (usage) when it cannot be read */
export function readSettingsFile(path: string, environment: Environment = process.env): SettingsFile {
  return settingsFile(path, readConfiguration(path), environment);
}

/** The text of a configuration. @throws UserError (usage) when it cannot be read */
export function readConfiguration(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`The configuration ${path} cannot be read: ${messageOf(error)}`, EXIT.usage);
  }
}

/** Parses the text of a file. */
export function settingsFile(path: string, text: string, environment: Environment): SettingsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number | undefined): Position | undefined => {
    const at = offset === undefined ? undefined : lines.linePos(offset);
    return at === undefined || at.line === 0 ? undefined : { line: at.line, column: at.col };
  };
  const problems: Problem[] = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    at: position(pos[0]),
    sentence: `this is no YAML: ${withoutSource(message)}.`,
  }));
  const isYaml = problems.length === 0;
  const written = isYaml ? valuesOf(document, []) : {};
  const references = new Map<unknown, string>();
  substituteIn(document, environment, {
    wrong: (node, sentence) => problems.push({ at: position(node.range?.[0]), sentence }),
    replaced: (node, source) => references.set(node, source),
  });
  const { contents } = document;
  const { version, ...values } = isYaml ? valuesOf(document, problems) : {};
  const wrongVersion = versionProblem(version);
  if (wrongVersion !== undefined) {
    problems.push({ at: position(keyOffset(contents, ['version'])), sentence: wrongVersion });
  }
  return {
    path,
    values,
    written,
    problems,
    positionOf: (...keys) => position(keyOffset(contents, keys)),
    writtenWithReferences: (...keys) => writtenIn(document.getIn(keys, true), references),
  };
}

/** The references in a value, or in what it consists of. */
function writtenIn(node: unknown, references: ReadonlyMap<unknown, string>): string | undefined {
  if (isScalar(node)) {
    return references.get(node);
  }
  const found: string[] = [];
  if (isNode(node)) {
    visit(node, {
      Scalar: (_key, scalar) => {
        found.push(...[references.get(scalar)].filter((text) => text !== undefined));
      },
    });
  }
  return found.length === 0 ? undefined : found.join(', ');
}

interface Substitution {
  readonly wrong: (node: Scalar, sentence: string) => void;
  readonly replaced: (node: Scalar, source: string) => void;
}

/**
 * Replaces references in values, and nowhere else. A value stays one, whatever a variable holds: it is no YAML to be parsed. One without
 * quotes has the type that its text has then.
 */
function substituteIn(document: Document, environment: Environment, { wrong, replaced }: Substitution): void {
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) {
        return;
      }
      const source = node.value;
      const result = substitute(source, environment);
      if ('problem' in result) {
        wrong(node, result.problem);
        return;
      }
      node.value = node.type === Scalar.PLAIN ? typed(document, result.text) : result.text;
      if (result.variables.length > 0) {
        replaced(node, source);
      }
    },
  });
}

/** What a text without quotes means in YAML: a number, true, null, ... */
function typed(document: Document, text: string): unknown {
  for (const tag of document.schema?.tags ?? []) {
    if (tag.collection === undefined && tag.default === true && tag.test?.test(text)) {
      const value = tag.resolve(text, () => {}, document.options as never);
      return isScalar(value) ? value.value : value;
    }
  }
  return text;
}

function valuesOf(document: Document, problems: Problem[]): Readonly<Record<string, unknown>> {
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return {};
  }
  if (!isMap(contents)) {
    problems.push({ sentence: 'this is not a YAML mapping.' });
    return {};
  }
  try {
    return document.toJS() as Record<string, unknown>;
  } catch (error) {
    problems.push({ sentence: `this cannot be understood: ${withoutSource(messageOf(error))}.` });
    return {};
  }
}

/** A message of the YAML library without the piece of the file that it may end with, which may be a secret. */
function withoutSource(message: string): string {
  const [line = ''] = message.split('\n');
  return line.replace(/(?:: |; | \\|(?<=directive) ).*$/, '').replace(/"quote$/, 'double quote');
}

/** Where the key begins that a path leads to, or the element of a list; of a path that leads nowhere, as far as it goes. */
function keyOffset(node: unknown, [step, ...rest]: readonly PropertyKey[]): number | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => String(key) === step);
    const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
    return keyOffset(pair?.value, rest) ?? offset;
  }
  const element = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined;
  return isNode(element) ? (keyOffset(element, rest) ?? element.range?.[0]) : undefined;
}
