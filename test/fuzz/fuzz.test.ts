import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { processorTime } from '../gobinary/measure.ts';
import { exercise } from './exercise.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { applyEdits, minimize } from './recipe.ts';
import { makeSeeds } from './seeds.ts';
import { type Fault, maxMillis, Session } from './session.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-fuzz-'));
after(() => rmSync(folder, { recursive: true }));

function fuzz(...args: readonly string[]): { status: number | null; output: string } {
  const script = join(import.meta.dirname, 'fuzz.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** The faults in a folder, which are named after their kind. */
function faults(path: string): Fault[] {
  const files = readdirSync(path).filter((name) => name.endsWith('.json'));
  return files.map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')));
}

describe('damaged programs', () => {
  const seeds = makeSeeds();

  test('the seeds are read as what they were made of', () => {
    for (const { name, bytes } of seeds) {
      const features = exercise(bytes);
      assert.ok(features.includes('functions 7'), `${name}: ${features}`);
      assert.ok(
        features.some((feature) => /^map .*string.*float64.*eface.*iface/.test(feature)),
        name,
      );
      assert.ok(features.includes(name.includes('bare') ? 'none ' : 'checked '), name);
    }
  });

  test('no faults in a short run', () => {
    const seed = String(Date.now());
    const found = join(folder, 'found');
    const { status, output } = fuzz('--seconds', '10', '--runs', '1000000', '--seed', seed, '--found', found);
    assert.equal(status, 0, `seed ${seed}: ${output}`);
    const [, inputs = '0'] = /^(\d+) inputs in .* 0 faults$/m.exec(output) ?? [];
    assert.ok(Number(inputs) >= 500, output);
  });

  for (const { kind, message, recipe } of faults(join(import.meta.dirname, 'found'))) {
    test(`what was once a fault: ${kind}: ${message.split('\n')[0]}`, () => {
      const seed = seeds.find(({ name }) => name === recipe.seed);
      assert.ok(seed);
      const bytes = applyEdits(seed, recipe.edits);
      const took = processorTime(() => exercise(bytes));
      assert.ok(took < maxMillis, `${took} ms`);
    });
  }

  test('the same numbers make the same inputs', () => {
    const [seed] = seeds;
    assert.ok(seed);
    const edits = (number: number) => {
      const random = new Random(number, 7);
      return Array.from({ length: 50 }, () => mutate(seed, seed.bytes, random));
    };
    assert.deepEqual(edits(1), edits(1));
    assert.notDeepEqual(edits(1), edits(2));
    const session = () => new Session(3, seeds, exercise);
    const [first, second] = [session(), session()];
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(first.run(i, () => {}).recipe, second.run(i, () => {}).recipe);
    }
  });

  test('a recipe is made as short as it can be', () => {
    const edits = [1, 2, 3, 4].map((truncate) => ({ truncate }));
    const fails = ({ edits }: { edits: readonly object[] }): boolean =>
      [2, 4].every((n) => edits.some((edit) => 'truncate' in edit && edit.truncate === n));
    const { edits: left } = minimize({ seed: 'any', edits }, fails);
    assert.deepEqual(left, [{ truncate: 2 }, { truncate: 4 }]);
  });
});

test('the fuzzer finds faults of every kind, goes on, and goes on later', () => {
  const found = join(folder, 'faulty');
  const args = ['--target', './fixtures/faulty.ts', '--found', found, '--hang', '4'];
  const state = ['--state', join(folder, 'state.json')];
  const first = fuzz(...args, ...state, '--runs', '3000');
  assert.equal(first.status, 1);
  assert.match(first.output, /^3000 inputs in .*, 3000 in all: .* [1-9]\d* faults$/m);
  const kinds = new Set(faults(found).map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ['exception', 'hang', 'memory', 'slow']);
  const [exception] = faults(found).filter(({ kind }) => kind === 'exception');
  assert.match(exception?.message ?? '', /^Error: a fault\n/);
  assert.equal(exception?.recipe.edits.length, 1);
  assert.match(fuzz(...args, ...state, '--runs', '3100').output, /^100 inputs in .*, 3100 in all/m);
});
