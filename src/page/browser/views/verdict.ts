import { shortFunction } from '../../../base/call-site.ts';
import type { Exemplar, Site } from '../../format/document.ts';
import { TALLY } from '../../format/tally.ts';
import { furthest, type Row } from '../data/rows.ts';
import { Series } from '../data/series.ts';
import { MANY_PROBES, manyProbes, quantileText } from '../data/statistics.ts';
import { byId, el } from '../dom.ts';
import type { Model } from '../model.ts';
import { clock, fileLine, mean, percent } from '../numbers.ts';
import { traceLink } from './traces.ts';

/** A call site of which more lookups than this walk far is worth a look. */
const ALARMING_SHARE = 0.05;
/** Lookups without which nothing is said of a call site. */
const LEAST_LOOKUPS = 30;
const COLUMN_MICROS = 10e6;

/** One sentence: which map, which line, how bad, since when, which trace. */
export class Verdict {
  readonly #parent = byId('verdict');
  readonly #open: (row: Row) => void;
  #shown = '';
  #series: { key: string; series: Series } | undefined;

  constructor(open: (row: Row) => void) {
    this.#open = open;
  }

  update(model: Model): void {
    const enough = model.siteRows.filter(({ lookups }) => lookups >= LEAST_LOOKUPS);
    const worst = furthest(enough.filter(({ many, lookups }) => many / lookups > ALARMING_SHARE));
    const content = worst === undefined ? quiet(model, enough) : this.#alarm(model, worst);
    // Only what has changed is replaced: somebody may be about to click.
    const text = content.map((node) => node.textContent).join('|');
    if (text !== this.#shown) {
      this.#shown = text;
      this.#parent.replaceChildren(...content);
      this.#parent.dataset.level = worst === undefined ? 'good' : 'bad';
    }
  }

  #alarm(model: Model, row: Row): HTMLElement[] {
    const site = model.timeline.sites[row.sites[0] ?? 0] as Site;
    const exemplar = exemplarOf(model, row.sites);
    const excess = row.visits - row.lookups;
    const title = el(
      'p',
      { class: 'headline' },
      el(
        'button',
        { class: 'linklike', type: 'button', onclick: () => this.#open(row) },
        el('code', { text: site.type }),
      ),
      ' walks too far at ',
      el('code', { text: fileLine(site) }),
    );
    if (this.#series?.key !== row.key) {
      this.#series = { key: row.key, series: new Series({ sites: new Set(row.sites), result: 'both' }) };
    }
    const since = sinceWhen(model, this.#series.series);
    const detail = el(
      'p',
      { class: 'because' },
      el('span', {}, shortFunction(site.function)),
      el('span', {}, el('b', { text: mean(row.probes) }), ` ${model.unit} per lookup`),
      el(
        'span',
        {},
        el('b', { text: percent(row.many / row.lookups, 0) }),
        ` visit more than ${MANY_PROBES}, 1 in 100 more than ${quantileText(row.tally, 'probeLength', 0.99).replace('≤ ', '')}`,
      ),
      el(
        'span',
        {},
        el('b', { text: percent(shareOf(model, excess), 0) }),
        ` of all ${model.unit} beyond the first`,
      ),
      el('span', {}, since),
      exemplar?.traceId
        ? el(
            'span',
            {},
            'trace ',
            traceLink(model.state?.traceUrl ?? null, exemplar.traceId, exemplar.spanId),
          )
        : undefined,
    );
    return [title, detail];
  }
}

function quiet(model: Model, rows: readonly Row[]): HTMLElement[] {
  const longest = furthest(rows);
  if (longest === undefined) {
    return [
      el('p', { class: 'headline', text: 'Too few lookups so far to say anything' }),
      el('p', { class: 'because' }, el('span', { text: 'mapscope shows what it sees below.' })),
    ];
  }
  const site = model.timeline.sites[longest.sites[0] ?? 0] as Site;
  return [
    el('p', { class: 'headline', text: 'No map walks far in this range' }),
    el(
      'p',
      { class: 'because' },
      el('span', {
        text: `No call site has more than ${percent(ALARMING_SHARE, 0)} of its lookups above ${MANY_PROBES} ${model.unit}.`,
      }),
      el(
        'span',
        {},
        'Most work beyond the first: ',
        el('code', { text: site.type }),
        ' at ',
        el('code', { text: fileLine(site) }),
        `, ${mean(longest.probes)} per lookup`,
      ),
    ),
  ];
}

function shareOf(model: Model, excess: number): number | null {
  const all = model.siteRows.reduce((sum, { visits, lookups }) => sum + visits - lookups, 0);
  return all === 0 ? null : excess / all;
}

/** The longest lookup in the range that leads to a trace. */
function exemplarOf(model: Model, sites: readonly number[]): Exemplar | undefined {
  const { start, end } = model.range;
  return model.timeline.exemplars
    .filter((one) => one.traceId !== null && sites.includes(one.site) && one.time >= start && one.time <= end)
    .reduce<Exemplar | undefined>(
      (best, one) => (best !== undefined && best.probeLength >= one.probeLength ? best : one),
      undefined,
    );
}

/** Since when, without a break, so many of the lookups walk far. Times of which nothing is known are no break. */
function sinceWhen({ timeline, range }: Model, series: Series): string {
  const columns = series.columns(timeline.between(0, range.end), COLUMN_MICROS);
  let since: number | undefined;
  for (const { tally, start } of columns.toReversed()) {
    const lookups = tally?.[TALLY.lookups] ?? 0;
    if (tally === undefined || lookups < LEAST_LOOKUPS / 3) {
      continue;
    }
    if (manyProbes(tally) / lookups <= ALARMING_SHARE) {
      return since === undefined ? 'not at the end of the range' : `since ${clock(since)}`;
    }
    since = start;
  }
  return `since ${clock(timeline.start)}, as long as it is observed`;
}
