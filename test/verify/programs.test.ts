import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildOracle, type Cell } from '../exactness/cells.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { type VerifyDocument, verified } from './document.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-verify-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const LONG = { timeout: 300_000 };

/** More lookups than any of the programs makes. */
const EVERY = ['--lookups', '1000000000'];

/** What holds for every program: all that was checked agrees, and little was not checked. */
function checkDocument({ schema, target, functions, ...rest }: VerifyDocument): void {
  assert.equal(schema, 'mapscope/verify/v1');
  assert.equal(target.exitCode, 0);
  assert.deepEqual(rest.refusedFunctions, []);
  assert.deepEqual(rest.disagreements, []);
  for (const { name, checked, agreed, disagreed, zeroUnknown, notChecked } of functions) {
    assert.equal(disagreed, 0, name);
    assert.equal(agreed, checked, name);
    assert.equal(zeroUnknown, 0, name);
    for (const reason of Object.keys(notChecked)) {
      assert.match(reason, /^interrupted/, name);
    }
  }
}

function agreedOf(document: VerifyDocument, name: string): number {
  return document.functions.find((fn) => fn.name === name)?.agreed ?? 0;
}

test("TypeScript's compiler, stripped, Go 1.26: a thousand lookups of each busy function", LONG, async () => {
  const tsc = 'node_modules/@typescript/typescript-linux-x64/lib/tsc';
  const document = await verified(['--', tsc, '-p', 'tsconfig.json']);
  checkDocument(document);
  const busy = ['mapaccess1', 'mapaccess1_fast64', 'mapaccess1_faststr', 'mapaccess2_fast64'];
  for (const name of [...busy, 'mapaccess2', 'mapaccess2_faststr']) {
    assert.equal(agreedOf(document, name), 1000, name);
  }
});

for (const esbuild of ['esbuild-go1.22', 'esbuild-go1.26']) {
  test(`${esbuild} bundling a library: every lookup agrees`, LONG, async () => {
    const bundle = [
      '--bundle',
      '--platform=node',
      `--outfile=${join(folder, `${esbuild}.js`)}`,
      '--log-level=error',
    ];
    const program = [`node_modules/${esbuild}/bin/esbuild`, 'node_modules/zod/index.js', ...bundle];
    const document = await verified([...EVERY, '--', ...program]);
    checkDocument(document);
    const kinds = [
      'mapaccess1',
      'mapaccess1_fast64',
      'mapaccess1_faststr',
      'mapaccess2',
      'mapaccess2_faststr',
    ];
    for (const name of kinds) {
      assert.ok(agreedOf(document, name) > 0, name);
    }
    const checked = document.functions.reduce((sum, fn) => sum + fn.checked, 0);
    assert.ok(checked > 50_000, `${checked} lookups checked`);
  });
}

const CELLS: readonly Cell[] = [
  { version: '1.17.13', flavor: 'default' },
  { version: '1.23.12', flavor: 'pie, stripped' },
  { version: 'local', flavor: 'pie' },
  { version: 'local', flavor: 'no optimisation' },
  { version: 'local', flavor: 'spectre' },
  { version: '1.27.4', flavor: 'default' },
];

for (const cell of CELLS) {
  test(
    `the oracle of Go ${cell.version}, ${cell.flavor}: every lookup it knows of is checked and agrees`,
    LONG,
    async () => {
      const truthFile = join(folder, 'truth.json');
      const oracle = [await buildOracle(cell), '-seed', '5', '-lookups', '60000', '-truth', truthFile];
      const document = await verified([...EVERY, '--', ...oracle]);
      checkDocument(document);
      const { callSites } = JSON.parse(readFileSync(truthFile, 'utf8')) as {
        callSites: readonly { variant: string; lookups: number }[];
      };
      const made = new Map<string, number>();
      for (const { variant, lookups } of callSites) {
        made.set(variant, (made.get(variant) ?? 0) + lookups);
      }
      assert.ok(made.size > 0);
      for (const [variant, lookups] of made) {
        // A wrapper has no check of its own: the function it calls is checked. The runtime makes some lookups itself.
        if (variant.endsWith('_fat')) {
          continue;
        }
        const agreed = agreedOf(document, variant);
        assert.ok(agreed >= lookups, `${variant}: ${agreed} agreed, the oracle made ${lookups}`);
      }
    },
  );
}

const AWKWARD = new URL('programs/awkward', import.meta.url).pathname;

for (const version of ['1.23.12', 'local']) {
  test(
    `Go ${version}: stacks that move, maps that grow under an iteration, unusual types`,
    LONG,
    async () => {
      const program = await buildGo({ dir: AWKWARD, version });
      const output = join(folder, 'awkward.json');
      const result = await mapscope([
        'verify',
        '--format',
        'json',
        '--output',
        output,
        ...EVERY,
        '--',
        program,
      ]);
      assert.equal(result.status, 0, result.stderr);
      const document: VerifyDocument = JSON.parse(readFileSync(output, 'utf8'));
      checkDocument(document);
      assert.match(result.stdout, /^moved in a comparison [1-9]\d*\nfound 400\nvisited at least true\n/);
      assert.match(result.stdout, /^of unaligned keys 820\nof run-time types 900\n$/m);
      for (const { name, notChecked } of document.functions) {
        assert.deepEqual(notChecked, {}, name);
      }
      assert.ok(agreedOf(document, 'mapaccess2') > 1000);
      if (version === '1.23.12') {
        assert.ok(agreedOf(document, 'mapaccessK') > 1000, 'iteration');
      }
    },
  );
}
