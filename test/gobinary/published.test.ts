import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { dynamicTypes, openGoBinary } from '../../src/gobinary/index.ts';
import { processorTime } from './measure.ts';

const modules = join(import.meta.dirname, '..', '..', 'node_modules');

/** Stripped programs that others built and published on npm, with what is known of each. */
const programs = [
  {
    path: 'esbuild-go1.22/bin/esbuild',
    text: 'go1.22.5',
    source: 'buildinfo',
    module: 'github.com/evanw/esbuild',
  },
  {
    path: 'esbuild-go1.23/bin/esbuild',
    text: 'go1.23.12',
    source: 'buildinfo',
    module: 'github.com/evanw/esbuild',
  },
  { path: 'esbuild-go1.26/bin/esbuild', text: 'go1.26.5', source: 'runtime.buildVersion', module: undefined },
  {
    path: '@typescript/typescript-linux-x64/lib/tsc',
    text: 'go1.26.4',
    source: 'buildinfo',
    module: 'github.com/microsoft/typescript-go',
  },
];

describe('published programs', () => {
  for (const { path, text, source, module } of programs) {
    test(path, () => {
      let binary = openGoBinary(join(modules, path));
      const opening = processorTime(() => {
        binary = openGoBinary(join(modules, path));
      });
      const listing = processorTime(() => binary.mapTypes());
      const maps = binary.mapTypes();
      assert.ok(opening < 1000, `opening took ${opening} ms`);
      assert.ok(listing < 300, `finding map types took ${listing} ms`);

      assert.equal(binary.version.text, text);
      assert.equal(binary.version.source, source);
      assert.equal(binary.modulePath, module);
      assert.equal(binary.stripped, true);
      assert.equal(binary.symbol('main.main'), undefined);
      assert.equal(binary.mapImplementation, binary.version.minor >= 24 ? 'swiss' : 'classic');

      assert.ok(maps.length > 150);
      const wellFormed = /^((go\.shape\.)?map\[.+\].+|[\w.]+(\[.+\])?)$/su;
      for (const map of maps) {
        assert.match(map.name, wellFormed);
        assert.ok(map.keyEquality.known, map.name);
        assert.equal(binary.functionAt(map.hasher)?.entry, map.hasher);
      }
      assert.ok(maps.some(({ name }) => name === 'map[string]bool'));
      assert.ok([...dynamicTypes(binary)].length > 2000);

      for (const fn of binary.functions()) {
        assert.ok(fn.name.length > 0 && fn.end > fn.entry);
        const frames = binary.frames(fn.end - 1);
        assert.equal(frames.at(-1)?.function, fn.name);
        assert.equal(frames.at(-1)?.inlined, false);
      }
      const lookups = binary.functionsNamed('runtime.mapaccess2_fast64');
      assert.equal(lookups.length, 1);
      for (const lookup of lookups) {
        assert.match(binary.frames(lookup.entry)[0]?.file ?? '', /^(internal\/)?runtime\/.*fast64\.go$/);
      }
    });
  }
});
