import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { EXIT, messageOf, UserError } from '../base/errors.ts';

/** A configuration file that was read: its settings by name, and where each of them is. */
export interface SettingsFile {
  readonly values: Readonly<Record<string, unknown>>;
  /** File and line of a setting, or of what is within one, as the beginning of a message: `mapscope.yaml:3: `. */
  placeOf(...keys: readonly PropertyKey[]): string;
}

/** Without a file nothing is set. */
export const NOTHING: SettingsFile = { values: {}, placeOf: () => '' };

/** @throws UserError (usage) when it cannot be read or is no YAML mapping */
export function readSettingsFile(path: string): SettingsFile {
  const lines = new LineCounter();
  const document = parsed(path, lines);
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return NOTHING;
  }
  if (!isMap(contents)) {
    throw new UserError(`The configuration ${path} is not a YAML mapping.`, EXIT.usage);
  }
  return {
    values: document.toJS() as Record<string, unknown>,
    placeOf: (...keys) => {
      const offset = offsetOf(contents, keys);
      return offset === undefined ? `${path}: ` : `${path}:${lines.linePos(offset).line}: `;
    },
  };
}

/** Where the key begins that a path leads to, or the element of a list; of a path that leads nowhere, as far as it goes. */
function offsetOf(node: unknown, [step, ...rest]: readonly PropertyKey[]): number | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => String(key) === step);
    const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
    return offsetOf(pair?.value, rest) ?? offset;
  }
  const element = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined;
  return isNode(element) ? (offsetOf(element, rest) ?? element.range?.[0]) : undefined;
}

function parsed(path: string, lineCounter: LineCounter) {
  try {
    const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter });
    const [error] = document.errors;
    if (error !== undefined) {
      throw error;
    }
    return document;
  } catch (error) {
    const [reason] = messageOf(error).split('\n');
    throw new UserError(`The configuration ${path} cannot be read: ${reason}`, EXIT.usage);
  }
}
