import { App } from './app.ts';
import { fileSource, LIVE_SOURCE } from './data/source.ts';
import { byId, el } from './dom.ts';

const APP = new App(fileSource() ?? LIVE_SOURCE);
APP.start().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  byId('verdict').replaceChildren(
    el('p', { class: 'headline', text: 'The page cannot show its data' }),
    el('p', { text }),
  );
});
