// Imports run in one direction: from what a person types down to plain data. No file is part of a circle, not even of types.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The rooms of src/, from top to bottom. A room may import from itself and from rooms below it; rooms of one line do not know
 * one another. docs/how-it-works.md says what lives in each.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['cli'],
  ['session'],
  ['config'],
  ['observe', 'verify', 'report', 'otel', 'page'],
  ['programs'],
  ['plan'],
  ['target'],
  ['gobinary', 'kernel'],
  ['model'],
  ['base'],
];

/** Source file to the source files it imports, for values or for types. */
function readImports(): Map<string, string[]> {
  const files = globSync('src/**/*.{ts,mjs}', { cwd: ROOT }).sort();
  assert.ok(files.length > 100, 'the sources are where they are looked for');
  return new Map(files.map((file) => [file, importsOf(file)]));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const specifiers = text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g);
  const targets = [...specifiers].map(([, specifier = '']) => join(dirname(file), specifier));
  // What is generated is nobody's room: names of records, for the type checker.
  return targets.filter((target) => !target.startsWith('build/'));
}

const roomOf = (file: string): string => file.split('/')[1] ?? '';
const layerOf = (file: string): number => LAYERS.findIndex((rooms) => rooms.includes(roomOf(file)));

/** The files of one circle, in order; undefined when there is none. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) {
      return [...path.slice(path.indexOf(file)), file];
    }
    if (finished.has(file)) {
      return undefined;
    }
    for (const next of imports.get(file) ?? []) {
      const circle = visit(next, [...path, file]);
      if (circle !== undefined) {
        return circle;
      }
    }
    finished.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) {
      return circle;
    }
  }
  return undefined;
}

const imports = readImports();

test('every source file is in a room that has a layer', () => {
  assert.deepEqual(
    [...imports.keys()].filter((file) => layerOf(file) < 0),
    [],
  );
});

test('every import leads to a source file', () => {
  const missing = [...imports].flatMap(([file, targets]) =>
    targets.filter((target) => !imports.has(target)).map((target) => `${file} -> ${target}`),
  );
  assert.deepEqual(missing, []);
});

test('no import runs upward or sideways', () => {
  const wrong = [...imports].flatMap(([file, targets]) =>
    targets
      .filter((target) => roomOf(target) !== roomOf(file) && layerOf(target) <= layerOf(file))
      .map((target) => `${file} -> ${target}`),
  );
  assert.deepEqual(wrong, []);
});

test('no circle of imports', () => {
  assert.equal(findCircle(imports)?.join(' -> '), undefined);
});

test('a circle is found where there is one', () => {
  const circular = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['b']],
  ]);
  assert.deepEqual(findCircle(circular), ['b', 'd', 'b']);
});
