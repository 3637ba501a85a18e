// Documents that are made from the code say what the code says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandLine } from '../../src/cli/command-line.ts';
import { settingsJsonSchema } from '../../src/config/json-schema.ts';
import { OPTIONS, optionName, SETTING_NAMES } from '../../src/config/options.ts';
import { SELECTION_NAMES } from '../../src/config/selection-schema.ts';
import { KEYS } from '../../src/config/validated.ts';
import { GENERATED } from '../../tools/docs/generated.ts';

for (const [path, text] of Object.entries(GENERATED)) {
  test(`${path} is current (else run: npm run docs)`, () => {
    assert.equal(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text());
  });
}

test('a setting is an option of run and attach, and described in the schema of the file', () => {
  const properties = settingsJsonSchema().properties as Record<string, { description?: string }>;
  assert.deepEqual(Object.keys(properties).sort(), [...KEYS].sort());
  assert.ok(SELECTION_NAMES.every((name) => (properties[name]?.description ?? '').length > 0));
  for (const name of SETTING_NAMES) {
    assert.equal(properties[name]?.description, OPTIONS[name].help);
    for (const command of commandLine().commands.filter((c) => ['run', 'attach'].includes(c.name()))) {
      assert.ok(
        command.options.some((option) => option.long === optionName(name)),
        `${command.name()} ${name}`,
      );
    }
  }
});
