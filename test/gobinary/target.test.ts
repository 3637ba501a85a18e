// What the command makes of a target whose layouts are not the known ones.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { readSettings } from '../../src/config/settings.ts';
import { openTarget } from '../../src/session/target.ts';
import { Executable } from '../../src/target/executable.ts';
import { altered, newest, renumbered } from './altered.ts';
import { removeTemporaryFiles } from './files.ts';

after(removeTemporaryFiles);

test('a runtime that differs from the table is refused: which structure, which field, where', () => {
  const path = altered(23, 'runtime.hmap', (file, start) => {
    file[file.indexOf('buckets\0', start) + 8] = 40;
  });
  assert.throws(() => openTarget(Executable.atPath(path), 'The target'), {
    name: 'UserError',
    exitStatus: EXIT.cannotObserve,
    message:
      'The target cannot be observed: it was built with go1.23.12, and its runtime.hmap.buckets is at offset 40 by its debug ' +
      "information, but at 16 by mapscope's table.",
  });
});

test('a newer Go is refused with what can be done, and opened on request', () => {
  const path = renumbered();
  assert.throws(() => openTarget(Executable.atPath(path), 'The target'), {
    exitStatus: EXIT.cannotObserve,
    message:
      /^The target cannot be observed: .* was built with go1\.28\.4, newer than the supported Go 1\.17 to 1\.27\. Update mapscope, or try the newest layouts it knows with --allow-unknown-go --verify\.$/,
  });
  const binary = openTarget(Executable.atPath(path), path, { allowUnknownGo: true });
  assert.deepEqual(binary.mapTypes(), openTarget(Executable.atPath(newest)).mapTypes());
});

test('a newer Go whose maps have changed is refused all the same', () => {
  const path = altered(27, 'internal/runtime/maps.Map', (file, start) => {
    file[file.indexOf('dirPtr\0', start) + 7] = 32;
    for (let at = file.indexOf('go1.27'); at >= 0; at = file.indexOf('go1.27', at)) {
      file.write('go1.28', at);
    }
  });
  assert.throws(() => openTarget(Executable.atPath(path), path, { allowUnknownGo: true }), {
    message: /go1\.28\.4, and its internal\/runtime\/maps\.Map\.dirPtr is at offset 32 by .* but at 16 by/,
  });
});

test('an unknown Go is observed only when the lookups are verified', () => {
  assert.throws(() => readSettings({ allowUnknownGo: true }), {
    exitStatus: EXIT.usage,
    message: '--allow-unknown-go requires --verify.',
  });
  assert.equal(readSettings({ allowUnknownGo: true, verify: true }).allowUnknownGo, true);
  assert.equal(readSettings({}).allowUnknownGo, false);
});
