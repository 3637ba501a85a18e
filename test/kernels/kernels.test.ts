import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bootAndCheck } from './boot.ts';
import { prepareEmulator } from './emulator.ts';
import { type Image, makeImage } from './image.ts';
import { chosenBefore, fetchKernel } from './packages.ts';

/** Two kernels of the matrix (npm run kernels): the oldest that mapscope supports, and the newest that Debian has. */
const SERIES = ['6.1', 'newest'];

/** Two boots: see V8_ABORTED. */
const LIMIT = { timeout: 1_800_000 };

let image: Image;

before(async () => {
  await prepareEmulator();
  image = await makeImage();
}, LIMIT);

after(() => image.remove());

for (const [i, series] of SERIES.entries()) {
  test(`Debian's kernel ${series}: exact, in windows, verified, and nothing in its log`, LIMIT, async () => {
    const version = (await chosenBefore(SERIES))[i] ?? assert.fail();
    const outcomes = await bootAndCheck(await fetchKernel(version), image.path);
    assert.deepEqual(
      outcomes.filter(({ good }) => !good),
      [],
      version,
    );
    assert.ok(outcomes.length >= 9, JSON.stringify(outcomes));
  });
}
