import { addTally, emptyTally, TALLY } from '../../format/tally.ts';
import { MANY_PROBES, manyProbes, perLookup, quantileText, relativeError, Z95 } from '../data/statistics.ts';
import { isKnown } from '../data/timeline.ts';
import { byId, el, setText } from '../dom.ts';
import type { Model } from '../model.ts';
import { mean, percent, short, whole } from '../numbers.ts';

/** What a card says. */
interface Said {
  label: string;
  value: string;
  note: string;
  title?: string;
  /** How much of a limit is used, for a bar. */
  share?: number | null;
  level?: 'good' | 'warn' | 'bad';
}

/** The key figures of the range. */
export class Cards {
  readonly #parent = byId('cards');
  readonly #cards: { root: HTMLElement; label: Element; value: Element; note: Element; fill: HTMLElement }[] =
    [];

  update(model: Model): void {
    const all = figures(model);
    while (this.#cards.length < all.length) {
      this.#add();
    }
    all.forEach((said, i) => {
      const card = this.#cards[i];
      if (card === undefined) {
        return;
      }
      setText(card.label, said.label);
      setText(card.value, said.value);
      setText(card.note, said.note);
      card.root.title = said.title ?? '';
      card.root.dataset.level = said.level ?? '';
      card.fill.parentElement?.toggleAttribute('hidden', said.share === undefined || said.share === null);
      card.fill.style.width = `${Math.min(100, 100 * (said.share ?? 0))}%`;
    });
  }

  #add(): void {
    const label = el('dt');
    const value = el('dd', { class: 'value' });
    const note = el('dd', { class: 'note' });
    const fill = el('span', { class: 'fill' });
    const root = el(
      'dl',
      { class: 'card' },
      label,
      value,
      note,
      el('div', { class: 'meter', 'aria-hidden': 'true' }, fill),
    );
    this.#parent.append(root);
    this.#cards.push({ root, label, value, note, fill });
  }
}

function figures(model: Model): Said[] {
  const { totals } = model;
  const all = emptyTally();
  for (const interval of totals.intervals) {
    addTally(all, interval.hits);
    addTally(all, interval.misses);
  }
  const lookups = all[TALLY.lookups] ?? 0;
  const hits = totals.intervals.reduce((sum, interval) => sum + (interval.hits[TALLY.lookups] ?? 0), 0);
  const many = lookups === 0 ? null : manyProbes(all) / lookups;
  return [
    rateCard(model, (all[TALLY.estimated] ?? 0) / 1000),
    {
      label: `${model.unit === 'groups' ? 'Groups' : 'Buckets'} per lookup`,
      value: mean(perLookup(all, TALLY.probes)),
      note: `99th percentile ${quantileText(all, 'probeLength', 0.99)}`,
    },
    {
      label: `Above ${MANY_PROBES} ${model.unit}`,
      value: percent(many),
      note: `${whole(lookups === 0 ? null : manyProbes(all))} of ${whole(lookups)} counted`,
      level: many === null ? 'good' : many > 0.05 ? 'bad' : many > 0.01 ? 'warn' : 'good',
    },
    {
      label: 'Keys compared',
      value: mean(perLookup(all, TALLY.comparisons)),
      note: `99th percentile ${quantileText(all, 'keyComparisons', 0.99)}`,
    },
    {
      label: 'Hits',
      value: percent(lookups === 0 ? null : hits / lookups),
      note: `${whole(lookups - hits)} misses counted`,
    },
    costCard(model),
    seenCard(model, lookups, (all[TALLY.estimated] ?? 0) / 1000),
  ];
}

function rateCard(model: Model, estimated: number): Said {
  const { totals, facts } = model;
  const known = totals.intervals.filter(isKnown).map((interval) => interval.facts);
  const rate = totals.knownSeconds > 0 ? estimated / totals.knownSeconds : null;
  const error = facts === undefined ? null : relativeError(known, facts.mode, null);
  const note =
    rate === null
      ? 'nothing was seen'
      : error === null
        ? 'estimated; its error is not known yet'
        : error === 0
          ? 'every lookup is counted'
          : `± ${percent(Z95 * error, 0)} (95 %), estimated`;
  return {
    label: 'Lookups per second',
    value: short(rate),
    note,
    title: rate === null ? '' : `${whole(rate)} per second`,
  };
}

/** What observation costs, against what it may cost. */
function costCard({ totals, now }: Model): Said {
  const facts = totals.facts;
  const isCpuKnown = facts.length > 0 && facts.every(({ targetCpu }) => targetCpu !== null);
  const cost = facts.reduce((sum, one) => sum + one.cost, 0);
  const cpu = facts.reduce((sum, one) => sum + (one.targetCpu ?? 0), 0);
  const share = isCpuKnown && cpu > 0 ? cost / cpu : null;
  const budget = now?.overhead.budget ?? null;
  const stops = facts.reduce((sum, one) => sum + one.stops, 0);
  const limit =
    budget === null ? 'no budget: every lookup is observed' : `of the CPU time; budget ${percent(budget)}`;
  return {
    label: 'Cost of observing',
    value: percent(share),
    note: stops > 0 ? `${limit}; paused ${stops} times` : limit,
    share: share === null || budget === null ? null : share / budget,
    level: share !== null && budget !== null && share > budget * 1.2 ? 'bad' : 'good',
  };
}

function seenCard({ totals, facts: target }: Model, lookups: number, estimated: number): Said {
  const { facts } = totals;
  const lost = facts.reduce((sum, one) => sum + one.lost, 0);
  const windows = facts.reduce((sum, one) => sum + one.windows, 0);
  const seen = target?.mode === 'all' ? 'always attached' : `${whole(windows)} windows`;
  return {
    label: 'Seen of all lookups',
    value: percent(estimated > 0 ? Math.min(1, lookups / estimated) : null),
    note: lost > 0 ? `${seen}; ${whole(lost)} lost` : `${seen}; none lost`,
    level: lost > lookups / 1000 ? 'warn' : 'good',
  };
}
