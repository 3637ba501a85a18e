import { shortFunction } from '../../../base/call-site.ts';
import type { Exemplar, Site } from '../../format/document.ts';
import { byId, el, tableOf } from '../dom.ts';
import type { Model } from '../model.ts';
import { clock, fileLine, span, whole } from '../numbers.ts';

/** Rows of a list, at most. */
const MOST_SHOWN = 12;
const MOST_OF_TRACE = 200;

/** A trace id that leads to where its spans are, if that is known. */
export function traceLink(template: string | null, traceId: string, spanId: string | null): HTMLElement {
  const text = `${traceId.slice(0, 8)}…`;
  const href = template
    ?.replaceAll('{trace_id}', encodeURIComponent(traceId))
    .replaceAll('{span_id}', encodeURIComponent(spanId ?? ''));
  // A template may come from a file that anybody has written.
  return href !== undefined && /^https?:\/\//i.test(href)
    ? el('a', { href, target: '_blank', rel: 'noopener noreferrer', title: traceId, text })
    : el('code', { title: traceId, text });
}

/** Single lookups in full, the longest first. */
export function exemplarTable(model: Model, exemplars: readonly Exemplar[], caption: string): HTMLElement {
  const place = (number: number) => {
    const site = model.timeline.sites[number] as Site;
    return fileLine(site);
  };
  return tableOf(
    caption,
    ['trace', 'call site', model.unit, 'compared', 'result', 'goroutine', 'at'],
    exemplars.map((one) => [
      one.traceId === null ? 'none' : traceLink(model.state?.traceUrl ?? null, one.traceId, one.spanId),
      place(one.site),
      whole(one.probeLength),
      whole(one.keyComparisons),
      one.hit ? 'hit' : 'miss',
      one.goroutine === 0
        ? 'unknown'
        : `${one.goroutine}${one.parentGoroutine === null ? '' : ` (of ${one.parentGoroutine})`}`,
      clock(one.time),
    ]),
    (column) => column === 2 || column === 3,
  );
}

/** The longest lookups of a time, of some call sites or all. */
export function longest(
  { timeline, range }: Model,
  sites?: ReadonlySet<number>,
  most = MOST_SHOWN,
): Exemplar[] {
  return timeline.exemplars
    .filter(({ time, site }) => time >= range.start && time <= range.end && (sites?.has(site) ?? true))
    .sort((a, b) => b.probeLength - a.probeLength || b.keyComparisons - a.keyComparisons || b.time - a.time)
    .slice(0, most);
}

/** What is known of traces: single lookups, spans, spikes; all of them, or those of one trace. */
export class Traces {
  readonly #parent = byId('traces');
  #shown = '';

  update(model: Model): void {
    const wanted = model.view.trace.trim().toLowerCase();
    const content = wanted === '' ? overview(model) : ofTrace(model, wanted);
    const text = content.map(({ textContent }) => textContent).join('|');
    if (text !== this.#shown) {
      this.#shown = text;
      this.#parent.replaceChildren(...content);
    }
  }
}

function overview(model: Model): HTMLElement[] {
  const exemplars = longest(model);
  const parts = [
    exemplars.length === 0
      ? el('p', {
          class: 'quiet',
          text: 'No single lookup is known of this range. Those of traces come from pprof labels, spans of the OpenTelemetry SDK, or traceparent headers.',
        })
      : exemplarTable(model, exemplars, 'The longest lookups of the range, one for each bucket and moment'),
  ];
  const { spans, spikes } = model.now ?? {};
  if (spans && spans.heaviest.length > 0) {
    parts.push(spanTable(model, spans.heaviest.slice(0, MOST_SHOWN)));
  }
  if (spikes) {
    parts.push(spikeTable(model, spikes));
  }
  return parts;
}

function ofTrace(model: Model, wanted: string): HTMLElement[] {
  const isOf = ({ traceId }: { traceId: string | null }) => traceId?.startsWith(wanted) ?? false;
  const found = model.timeline.exemplars
    .filter(isOf)
    .sort((a, b) => a.time - b.time)
    .slice(0, MOST_OF_TRACE);
  const spans = model.now?.spans?.heaviest.filter(isOf) ?? [];
  const spikes = model.now?.spikes;
  const own = spikes?.latest.filter(isOf) ?? [];
  return [
    found.length === 0
      ? el('p', {
          class: 'quiet',
          text: 'No single lookup of this trace is among those that are kept: mapscope samples, and keeps a few of each call site and minute.',
        })
      : exemplarTable(model, found, 'Lookups of this trace that are kept, in the order of time'),
    ...(spans.length > 0 ? [spanTable(model, spans)] : []),
    ...(spikes && own.length > 0 ? [spikeTable(model, { ...spikes, latest: own })] : []),
  ];
}

type Now = NonNullable<Model['now']>;

function spanTable(model: Model, spans: NonNullable<Now['spans']>['heaviest']): HTMLElement {
  return tableOf(
    'Spans whose lookups took longest since the start, of those that were seen',
    ['trace', 'span', 'lookups', model.unit, 'compared', 'time, estimated', 'goroutine'],
    spans.map((one) => [
      traceLink(model.state?.traceUrl ?? null, one.traceId, one.spanId),
      el('code', { text: one.spanId }),
      whole(one.lookups),
      whole(one.probes),
      whole(one.comparisons),
      span(one.nanoseconds / 1e9) === '0 ms'
        ? `${Math.round(one.nanoseconds / 1000)} µs`
        : span(one.nanoseconds / 1e9),
      one.goroutine === 0 ? 'unknown' : String(one.goroutine),
    ]),
    (column) => column >= 2 && column <= 5,
  );
}

function spikeTable(model: Model, { threshold, seen, latest }: NonNullable<Now['spikes']>): HTMLElement {
  return tableOf(
    `Spikes: ${whole(seen)} lookups above ${threshold} since the start; the newest`,
    ['at', 'call site', 'type', model.unit, 'compared', 'entries', 'slots used', 'trace'],
    latest.map((one) => [
      clock(one.time),
      `${fileLine(one)} ${shortFunction(one.function)}`,
      one.type,
      whole(one.probeLength),
      whole(one.keyComparisons),
      whole(one.entries),
      `${whole(one.usedSlots)} of ${whole(one.slots)}`,
      one.traceId === null ? 'none' : traceLink(model.state?.traceUrl ?? null, one.traceId, one.spanId),
    ]),
    (column) => column >= 3 && column <= 5,
  );
}
