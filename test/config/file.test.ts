// What a configuration file says, with references to the environment, and every mistake in it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from '../../src/config/check.ts';
import { problemLine } from '../../src/config/file/problem.ts';
import { settingsFile } from '../../src/config/file/settings-file.ts';
import { substitute } from '../../src/config/file/substitution.ts';
import { problemsInFile } from '../../src/config/validated.ts';
import { written } from './written.ts';

const read = (text: string, environment: Record<string, string> = {}) =>
  settingsFile('f.yaml', text, environment);
const problems = (text: string, environment: Record<string, string> = {}): string[] =>
  problemsOf(read(text, environment)).map((problem) => problemLine('f.yaml', problem));

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of a configuration

test("references, after OpenTelemetry's examples", () => {
  const environment = {
    STRING_VALUE: 'value',
    BOOL_VALUE: 'true',
    EMPTY: '',
    INVALID_MAP_VALUE: 'value\nkey:value',
    DO_NOT_REPLACE_ME: 'Never use this value',
    REPLACE_ME: '${DO_NOT_REPLACE_ME}',
  };
  const cases = [
    ['${STRING_VALUE}', 'value'],
    ['${env:STRING_VALUE}', 'value'],
    ['foo ${STRING_VALUE} ${BOOL_VALUE}', 'foo value true'],
    ['${UNDEFINED_KEY:-fallback}', 'fallback'],
    ['${EMPTY:-fallback}', 'fallback'],
    ['${EMPTY}', ''],
    ['${UNDEFINED_KEY:-}', ''],
    ['${REPLACE_ME}', '${DO_NOT_REPLACE_ME}'],
    ['$${STRING_VALUE}', '${STRING_VALUE}'],
    ['$$${STRING_VALUE}', '$value'],
    ['$$$${STRING_VALUE}', '$${STRING_VALUE}'],
    ['$${STRING_VALUE:-fallback}', '${STRING_VALUE:-fallback}'],
    ['${UNDEFINED_KEY:-${STRING_VALUE}}', '${STRING_VALUE}'],
    ['a $$ b', 'a $ b'],
    ['$STRING_VALUE', '$STRING_VALUE'],
    ['${INVALID_MAP_VALUE}', 'value\nkey:value'],
  ] as const;
  for (const [text, expected] of cases) {
    const result = substitute(text, environment);
    assert.ok('text' in result, text);
    assert.equal(result.text, expected, text);
  }
  for (const wrong of ['${1A}', '${}', '${A', '${A:?stop}', '${A B}', '${STRING_VALUE', '${GONE}']) {
    assert.ok('problem' in substitute(wrong, environment), wrong);
  }
});

test('a value gets its type after its references, and stays one value', () => {
  const environment = { N: '7', B: 'true', MAP: 'a: 1', LINE: 'x\nmode: all', NOTHING: '', HEX: '0x10' };
  const { values, problems: wrong } = read(
    'plain: ${N}\nquoted: "${N}"\nbool: ${B}\nmap: ${MAP}\nline: ${LINE}\nempty: ${NOTHING}\nhex: ${HEX}\n${N}: key\nlist: [a, "${N}"] # ${GONE}\n',
    environment,
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(values, {
    plain: 7,
    quoted: '7',
    bool: true,
    map: 'a: 1',
    line: 'x\nmode: all',
    empty: null,
    hex: 16,
    '${N}': 'key',
    list: ['a', '7'],
  });
});

test('a variable that is not set is an error with its line and its name', () => {
  assert.deepEqual(problems('mode: all\nfilter: a${GONE}\nbudget: 2\n'), [
    'f.yaml:2:9: the environment variable GONE is not set, and ${GONE} has no default: set it, or write ${GONE:-otherwise}.',
    'f.yaml:3:1: budget must be a share such as 1% or 0.01, above 0 and at most 100%, not 2.',
  ]);
});

test('every mistake is told, in the order of the file, with the nearest name', () => {
  assert.deepEqual(
    problems(
      'mod: all\n\ntop: many\nxyz: 1\ntargets:\n  - include: { exi: shop }\n  - exclude: {}\n  - inklude: { exe: a }\nversion: 1\n',
    ),
    [
      'f.yaml:1:1: unknown setting mod: did you mean mode?',
      'f.yaml:3:1: top must be a whole number from 1 to 100000, not "many".',
      'f.yaml:4:1: unknown setting xyz.',
      'f.yaml:6:16: unknown key exi in targets[1].include: did you mean exe?',
      'f.yaml:7:5: targets[2].exclude must name at least one criterion, not {}.',
      'f.yaml:8:5: unknown key inklude in targets[3]: did you mean include?',
    ],
  );
});

test('what is no YAML is told with line and column, without what stands there', () => {
  const secret = 's3cret';
  for (const text of [
    `a: b: ${secret}\n`,
    `a: !${secret} x\n`,
    `a: *${secret}\n`,
    `a: "\\x${secret}"\n`,
    `a: |${secret}\n x\n`,
    `a: "x" ${secret}\n`,
    `%${secret}\n---\na: 1\n`,
    `- ${secret}\n`,
    secret,
  ]) {
    const [first = '', ...others] = problems(text);
    assert.match(
      first,
      /^f\.yaml:(\d+:\d+:)? this (is no YAML|is not a YAML mapping|cannot be understood)/,
      text,
    );
    assert.ok(![first, ...others].join().includes(secret), first);
  }
  assert.match(problems('mode: all\nmode: windows\n')[0] ?? '', /^f\.yaml:2:1: .*keys must be unique\.$/);
});

test('the version: none, the present one, a newer one, and others', () => {
  assert.deepEqual(problems('version: 1\nmode: all\n'), []);
  assert.deepEqual(problems('mode: all\n'), []);
  assert.deepEqual(problems(''), []);
  assert.match(
    problems('# x\nversion: 2\n')[0] ?? '',
    /^f\.yaml:2:1: version 2 is newer than mapscope \S+ knows, which is 1: use a newer mapscope\.$/,
  );
  for (const version of ['0', '1.5', '"1"', 'one', '[1]', '']) {
    assert.match(problems(`version: ${version}\n`)[0] ?? '', /:1:1: version must be 1/, version);
  }
});

test('settings that are wrong only together', () => {
  const conflict = problemsInFile(written('goroutines: 0\nperGoroutine: 3\n'));
  assert.match(conflict[0]?.sentence ?? '', /needs per-goroutine counts/);
  assert.deepEqual(problemsInFile(written('allowUnknownGo: true\n')), []);
});

test('a mistake in what a variable holds names the variable, and not what it holds', () => {
  const secret = 's3cret';
  const told = problems('mode: ${MODE}\nbudget: 1${SHARE}\ntargets: ["${RULE}"]\n', {
    MODE: secret,
    SHARE: secret,
    RULE: secret,
  });
  assert.equal(told.length, 3);
  assert.match(told[0] ?? '', /^f\.yaml:1:1: mode must be .*, which the value of \$\{MODE\} is not\.$/);
  assert.ok(!told.join().includes(secret), told.join('\n'));
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of a configuration
