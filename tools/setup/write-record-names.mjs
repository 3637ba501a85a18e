// node write-record-names.mjs OBJECT FILE: the names in an object's type information as types of TypeScript.

import { renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [object, file] = process.argv.slice(2);
const { readRecords } = createRequire(import.meta.url)('../../build/Release/mapscope.node');
const { structs, enums } = readRecords(object);

const union = (names) => (names.length === 0 ? 'never' : names.map((name) => `'${name}'`).join(' | '));
const members = (entries) => entries.map(([name, names]) => `  ${name}: ${union(names)};\n`).join('');

const constants = Object.values(enums).flatMap((values) => Object.entries(values));
const ofType = (type) => constants.filter(([, value]) => typeof value === type).map(([name]) => name);

const temporary = `${file}.${process.pid}`;
writeFileSync(
  temporary,
  `// Written by tools/setup/write-record-names.mjs.

/** Fields by struct. */
export interface StructFields {
${members(Object.entries(structs).map(([name, { fields }]) => [name, Object.keys(fields)]))}}

/** Enumerators by enum. */
export interface Enums {
${members(Object.entries(enums).map(([name, values]) => [name, Object.keys(values)]))}}

/** Enumerators that a number holds, and those that it does not. */
export type NumberConstant = ${union(ofType('number'))};
export type WideConstant = ${union(ofType('bigint'))};
`,
);
renameSync(temporary, file);
