import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import { DEFAULT_LABELS } from '../../src/model/trace-sources.ts';
import { LookupProgram, type ProgramOptions } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import { LookupService } from '../bench/lookupservice.ts';
import { type KernelMap, mapBytes, mapsHeld } from '../support/kernel-maps.ts';
import { mapped } from '../support/opened.ts';

/*
 * What a target's program takes of the kernel's memory. A machine of 256 CPUs is not at hand: the maps are made here with the
 * sizes that they have there, and what they take there follows from the kernel's arithmetic, which is checked with the CPUs
 * that are here.
 */

const LONG = { timeout: 120_000 };

/** What exports need. */
const EXEMPLARS: Partial<ProgramOptions> = { exemplars: { withoutTrace: true }, labels: DEFAULT_LABELS };

/** The maps of the lookup program with the sizes that they have on a machine with so many CPUs. */
async function mapsFor(
  context: TestContext,
  cpus: number,
  options: Partial<ProgramOptions>,
): Promise<KernelMap[]> {
  const service = await LookupService.start();
  context.after(() => service.stop());
  const target = mapped(service.pid);
  const program = await LookupProgram.load({
    target,
    preparation: prepare(target.binary),
    cpus,
    ...options,
  });
  const maps = mapsHeld();
  program.close();
  return maps;
}

const total = (maps: readonly KernelMap[], cpus: number) =>
  maps.reduce((sum, map) => sum + mapBytes(map, cpus), 0);

/** Linux counts its descriptions of maps too. */
const DESCRIPTION = 1024;

test('the arithmetic of these tests is the kernel’s', LONG, async (context) => {
  const cpus = addon.possibleCpus();
  const maps = await mapsFor(context, cpus, {
    ...EXEMPLARS,
    goroutineCosts: true,
    spikes: { limit: 8 },
  });
  assert.ok(maps.length > 20, `${maps.length} maps`);
  for (const map of maps.filter(({ type }) => type !== 'ringbuf')) {
    const difference = map.bytes - mapBytes(map, cpus);
    assert.ok(difference >= 0 && difference <= DESCRIPTION, `${map.name}: ${difference} bytes`);
  }
});

for (const cpus of [1, 2, 16, 64, 256, 1024]) {
  test(
    `a target takes at most 16 MB on a machine with ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`,
    LONG,
    async (context) => {
      const maps = await mapsFor(context, cpus, EXEMPLARS);
      const bytes = total(maps, cpus) + maps.length * DESCRIPTION;
      assert.ok(bytes <= 16e6, `${bytes} bytes`);
    },
  );
}

test('what the documentation says of memory is so', LONG, async (context) => {
  const path = new URL('../../docs/design/0013-memory-and-cpus.md', import.meta.url);
  const document = readFileSync(path, 'utf8');
  for (const cpus of [2, 16, 64, 256]) {
    const row = new RegExp(`^\\| +${cpus} +\\| +([0-9.]+) +\\| +([0-9.]+) +\\|`, 'm').exec(document);
    const maps = await mapsFor(context, cpus, EXEMPLARS);
    const bytes = (name: string) =>
      total(
        maps.filter((map) => map.name.startsWith(name)),
        cpus,
      );
    const megabytes = [bytes('aggregate'), bytes('')].map((sum) => (sum / 1e6).toFixed(1));
    assert.deepEqual(row?.slice(1), megabytes, `${cpus} CPUs`);
  }
});
