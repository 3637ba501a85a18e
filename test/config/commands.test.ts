// `mapscope config`: what is in force and where it comes from, what a setting is, and files of older form.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { migrate } from '../../src/config/file/migration.ts';
import { readSettings } from '../../src/config/settings.ts';
import { effectiveSettings } from '../../src/config/shown/effective.ts';
import { explainable, explained } from '../../src/config/shown/explained.ts';
import { settingsYaml } from '../../src/config/shown/printed.ts';
import { KEYS, problemsInFile } from '../../src/config/validated.ts';
import { mapscope } from '../support/command.ts';
import { written } from './written.ts';

const LIMIT = { timeout: 60_000 };

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of a configuration

const FILE = `version: 1
mode: all # every lookup
budget: \${MAPSCOPE_TEST_SHARE:-2%}
top: 7
by: type
filter: "a \${HOME}"
`;

test('print: option, variable, file, default, each with where it is from', LIMIT, async () => {
  const config = written(FILE);
  const env = { MAPSCOPE_TOP: '8', MAPSCOPE_BY: 'function', MAPSCOPE_VERIFY: 'true' };
  const args = ['config', 'print', '--config', config, '--by', 'site', '--exe', 'shop'];
  const { status, stdout } = await mapscope([...args, '--origin'], { env });
  assert.equal(status, 0);
  for (const line of [
    `mode: all # ${config}:2`,
    `budget: 2% # ${config}:3`,
    'top: "8" # MAPSCOPE_TOP',
    'by: site # --by',
    'verify: true # MAPSCOPE_VERIFY',
    'lookups: 1000 # default',
    `filter: a \${HOME} # ${config}:6`,
    '# --exe',
  ]) {
    assert.ok(stdout.split('\n').includes(line), `${line} in ${stdout}`);
  }
  const { settings } = JSON.parse((await mapscope([...args, '--format', 'json'], { env })).stdout);
  assert.deepEqual(settings.budget, { value: '2%', origin: { kind: 'file', path: config, line: 3 } });
  assert.deepEqual(settings.top, { value: '8', origin: { kind: 'variable', name: 'MAPSCOPE_TOP' } });
  assert.deepEqual(settings.duration, { value: null, origin: { kind: 'default' } });
  assert.deepEqual(settings.targets.value, [{ include: { exe: 'shop' } }]);
});

test('what is printed can be read back, and is the same then', () => {
  const typed = {
    duration: '90s',
    budget: '0.5%',
    traceSources: 'labels,sdk',
    spikes: '8x',
    filter: '${x} $$ $y',
  };
  const config = written(settingsYaml(effectiveSettings(typed, {}), true));
  assert.deepEqual(readSettings({ config }), readSettings(typed));
  const again = settingsYaml(effectiveSettings({ config }, {}), false);
  assert.deepEqual(parse(again), parse(readFileSync(config, 'utf8')));
  assert.deepEqual(problemsInFile(config), []);
});

test(
  'a variable of the environment: between option and file, and named when it is wrong',
  LIMIT,
  async () => {
    const config = written('mode: windows\n');
    const wrong = await mapscope(['config', 'print', '--config', config], { env: { MAPSCOPE_MODE: 'some' } });
    assert.equal(wrong.status, 2);
    assert.equal(wrong.stderr, 'mapscope: MAPSCOPE_MODE must be windows or all, not "some".\n');
  },
);

test('validate: every mistake is a line, and the status says so', LIMIT, async () => {
  const config = written('mod: all\ntop: x\n');
  const { status, stdout, stderr } = await mapscope(['config', 'validate', config]);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.deepEqual(stderr.trimEnd().split('\n'), [
    `${config}:1:1: unknown setting mod: did you mean mode?`,
    `${config}:2:1: top must be a whole number from 1 to 100000, not "x".`,
    `mapscope: ${config} is not valid: 2 mistakes.`,
  ]);
  const right = written('version: 1\n');
  assert.deepEqual(await mapscope(['config', 'validate', right]), {
    status: 0,
    stdout: `${right} is valid.\n`,
    stderr: '',
  });
  const gone = await mapscope(['config', 'validate', `${right}.gone`]);
  assert.equal(gone.status, 2);
  assert.match(gone.stderr, /^mapscope: The configuration .*\.gone cannot be read: ENOENT[^\n]*\n$/);
});

test(
  'a command that is to do something tells the first mistake and how to see the others',
  LIMIT,
  async () => {
    const config = written('mod: all\ntop: x\n');
    const { status, stderr } = await mapscope(['ps', '--config', config]);
    assert.equal(status, 2);
    assert.equal(
      stderr,
      `mapscope: ${config}:1:1: unknown setting mod: did you mean mode? (1 more: mapscope config validate ${config})\n`,
    );
  },
);

test('explain: every key has all there is to know, and an example that is right', () => {
  for (const key of explainable()) {
    const { meaning, type, default: otherwise, example } = explained(key);
    assert.ok(meaning.length > 0 && !/\(default/.test(meaning), key);
    assert.ok(type.length > 0 && otherwise.length > 0, key);
    assert.deepEqual(problemsInFile(written(`${example}\n`)), [], example);
    assert.ok(example.includes(`${key}:`), example);
  }
  assert.deepEqual(explained('otlpEndpoint').variable, 'MAPSCOPE_OTLP_ENDPOINT');
  assert.deepEqual(explained('--otlp-endpoint'), explained('otlpEndpoint'));
  assert.deepEqual(explained('targets[1].include.exe'), explained('exe'));
  assert.throws(() => explained('lokups'), { message: 'There is no setting lokups: did you mean lookups?' });
});

test('explain prints it', LIMIT, async () => {
  const { status, stdout } = await mapscope(['config', 'explain', 'budget']);
  assert.equal(status, 0);
  assert.match(stdout, /^budget: share of the target's .*\n {2}type .*\n {2}default {3}1%\n/);
  assert.match(stdout, /--budget\n.*MAPSCOPE_BUDGET\n {2}example\n {4}budget: 0\.5%\n$/);
});

const OLD = `# yaml-language-server: $schema=x.json
# how much
budget: 0.5%   # of the target
otlp-endpoint: \${COLLECTOR}   # there,\ttoo
# which
targets:
  - include: { exe: shop } # all of them
`;

test('migrate: the version, names, comments and references', () => {
  const result = migrate('f.yaml', OLD, KEYS);
  assert.ok('text' in result);
  assert.equal(
    result.text,
    `# yaml-language-server: $schema=x.json
version: 1
# how much
budget: 0.5% # of the target
otlpEndpoint: \${COLLECTOR} # there,\ttoo
# which
targets:
  - include: { exe: shop } # all of them
`,
  );
  assert.deepEqual(result.changes, [
    'f.yaml:4:1: otlp-endpoint is otlpEndpoint now.',
    'version: 1 is added.',
  ]);
  assert.deepEqual(migrate('f.yaml', result.text, KEYS), { text: result.text, changes: [] });
  for (const wrong of ['version: 2\n', 'a: [\n', '- a\n']) {
    assert.ok(Array.isArray(migrate('f.yaml', wrong, KEYS)), wrong);
  }
  const empty = migrate('f.yaml', '# nothing yet\n', KEYS);
  assert.ok('text' in empty && empty.text.includes('version: 1') && empty.text.includes('# nothing yet'));
});

test('migrate writes to stdout, or in place of the file as a whole', LIMIT, async () => {
  const config = written(OLD);
  const shown = await mapscope(['config', 'migrate', config]);
  assert.equal(shown.status, 0);
  assert.equal(readFileSync(config, 'utf8'), OLD);
  const replaced = await mapscope(['config', 'migrate', config, '--write']);
  assert.deepEqual([replaced.status, replaced.stdout], [0, '']);
  assert.equal(readFileSync(config, 'utf8'), shown.stdout);
  assert.ok(readdirSync(dirname(config)).every((name) => name.endsWith('.yaml')));
  assert.match(
    (await mapscope(['config', 'migrate', config, '--write'])).stderr,
    /is of the present version/,
  );
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of a configuration
