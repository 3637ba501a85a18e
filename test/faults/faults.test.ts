// What may go wrong on any day, shortly. `npm run faults` has it last as long as it does in life.

import { after, test } from 'node:test';
import { inWords, SHORT } from './fault.ts';
import { FAULTS } from './list.ts';
import { Scene } from './scene.ts';

const ends: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of ends.reverse()) {
    await end();
  }
});

const scene = await Scene.create({ after: (end) => ends.push(end) });
await scene.startService();
scene.startSidecar();
await scene.observes();

for (const { name, happen } of FAULTS) {
  test(name, { timeout: 180_000 }, async (context) => {
    const outcome = await happen(scene, SHORT);
    if (outcome === undefined) {
      context.skip('this machine cannot do that');
      return;
    }
    context.diagnostic(inWords(outcome));
  });
}
