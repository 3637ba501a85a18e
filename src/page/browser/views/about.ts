import { byId, el, setText, tableOf } from '../dom.ts';
import type { Model } from '../model.ts';
import { mean, moment, percent, short, span, whole } from '../numbers.ts';

const MOST_GOROUTINES = 12;

/** Goroutines, and what was seen and what was not: since the start. */
export class About {
  readonly #goroutines = byId('goroutines');
  readonly #about = byId('about');
  #shown = '';

  update(model: Model): void {
    const content = { goroutines: goroutineTable(model), about: aboutOf(model) };
    const text = `${content.goroutines.textContent}|${content.about.textContent}`;
    if (text !== this.#shown) {
      this.#shown = text;
      this.#goroutines.replaceChildren(content.goroutines);
      this.#about.replaceChildren(content.about);
    }
  }
}

function goroutineTable({ now, unit }: Model): HTMLElement {
  const goroutines = now?.goroutines;
  if (!goroutines) {
    return el('p', { class: 'quiet', text: 'Lookups are not counted for each goroutine.' });
  }
  const all = goroutines.heaviest.reduce((sum, one) => sum + one.lookups, goroutines.other.lookups);
  const row = (
    name: string,
    started: string,
    { lookups, hits, probes, comparisons }: typeof goroutines.other,
  ) => [
    name,
    started,
    whole(lookups),
    percent(all === 0 ? null : lookups / all),
    percent(lookups === 0 ? null : hits / lookups),
    mean(lookups === 0 ? null : probes / lookups),
    mean(lookups === 0 ? null : comparisons / lookups),
  ];
  return tableOf(
    'Goroutines with the most lookups counted since the start',
    ['goroutine', 'started by', 'lookups', 'share', 'hits', `${unit} per lookup`, 'comparisons'],
    [
      ...goroutines.heaviest
        .slice(0, MOST_GOROUTINES)
        .map((one) =>
          row(
            String(one.goroutine),
            one.parentGoroutine === null ? 'unknown' : String(one.parentGoroutine),
            one,
          ),
        ),
      row('all others', '', goroutines.other),
    ],
    (column) => column > 1,
  );
}

function aboutOf({ now, facts, state }: Model): HTMLElement {
  if (now === null) {
    return el('p', { class: 'quiet', text: 'Nothing was seen yet.' });
  }
  const { overhead } = now;
  const reasons = (counts: Record<string, number>) => {
    const used = Object.entries(counts).filter(([, count]) => count > 0);
    return used.length === 0
      ? 'none'
      : used.map(([reason, count]) => `${whole(count)} ${reason.replaceAll('_', ' ')}`).join(', ');
  };
  const pairs: [string, string][] = [
    ['Observed', `${span(now.seconds)} since ${moment(now.startTime)}`],
    [
      'Decoded during',
      facts?.mode === 'all' ? 'all of it' : `${span(now.attachedSeconds)} in ${whole(now.windows)} windows`,
    ],
    ['Lookups', `${whole(now.lookups)} counted, ${whole(now.estimatedLookups)} estimated`],
    [
      'Error of the estimate',
      facts?.mode === 'all'
        ? 'none: every lookup is counted'
        : overhead.relativeError === null
          ? 'not known yet'
          : `standard error ${percent(overhead.relativeError)}${shortfall(overhead.underestimate)}`,
    ],
    [
      'Cost since the start',
      `${percent(overhead.share)} of the CPU time${overhead.budget === null ? '' : `, of a budget of ${percent(overhead.budget)}`}; ${short(overhead.trapSeconds * 1e9)} ns per hit and ${short(overhead.decodeSeconds * 1e9)} ns to decode it, ${overhead.measured ? 'measured here' : 'assumed'}`,
    ],
    ['Could not be decoded', reasons(now.unreadable)],
    ['Could not be counted', reasons(now.dropped)],
    ['Not certain', reasons(now.inexact)],
    ['Left out by verification', whole(now.leftOut)],
    [
      'Not observed',
      now.refused.length === 0
        ? 'no lookup function was refused'
        : now.refused.map(({ name, reason }) => `${name}: ${reason}`).join('; '),
    ],
    [
      'History',
      `about a second at a time for an hour, a minute at a time for a day, in at most ${whole((state?.historyBytes ?? 0) / (1 << 20))} MiB for all targets; beyond that older seconds become minutes, and call sites of older minutes are not known`,
    ],
  ];
  return el(
    'dl',
    { class: 'facts-list' },
    ...pairs.flatMap(([name, value]) => [el('dt', { text: name }), el('dd', { text: value })]),
  );
}

/** The line about the target at the top. */
export function updateFacts({ facts }: Model): void {
  const text =
    facts === undefined
      ? ''
      : [
          `pid ${facts.pid}`,
          facts.goVersion,
          `${facts.mapImplementation === 'swiss' ? 'Swiss' : 'classic'} maps`,
          facts.mode === 'all' ? 'every lookup' : 'sampled in windows',
          ...(facts.stripped ? ['stripped'] : []),
        ].join(' · ');
  setText(byId('facts'), text);
}

/** By how much an estimate may be too low, after its error. */
function shortfall(underestimate: number | null): string {
  if (underestimate === null) {
    return '';
  }
  return underestimate === 1
    ? '; how much too low besides is not known'
    : `; at most ${percent(underestimate)} too low besides`;
}
