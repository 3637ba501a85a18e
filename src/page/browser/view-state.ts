import type { Quantity } from '../format/tally.ts';
import { GROUPINGS, type Grouping, ORDERS } from './data/rows.ts';

/** A part of time, microseconds since 1970. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export const PICTURES: readonly Quantity[] = ['probeLength', 'keyComparisons', 'homePosition', 'loadFactor'];
export const RESULTS = ['both', 'hits', 'misses'] as const;
export const THEMES = ['auto', 'light', 'dark'] as const;
/** Seconds shown while the page follows what happens; 0: all. */
export const SPANS: readonly number[] = [60, 300, 900, 3_600, 0];

/** What is looked at: all of it stands in the address, so that a link shows the same. */
export interface ViewState {
  target: number;
  picture: Quantity;
  result: (typeof RESULTS)[number];
  /** Seconds up to now; 0: all. Not used while `view` is set. */
  span: number;
  /** The part of time that is shown. */
  view: Range | undefined;
  range: Range | undefined;
  baseline: Range | undefined;
  by: Grouping;
  sort: string;
  descending: boolean;
  filter: string;
  /** Key of the row looked at. */
  row: string | undefined;
  trace: string;
  /** The end of what is shown, while paused. */
  pausedAt: number | undefined;
  theme: (typeof THEMES)[number];
}

const DEFAULTS: ViewState = {
  target: 0,
  picture: 'probeLength',
  result: 'both',
  span: 300,
  view: undefined,
  range: undefined,
  baseline: undefined,
  by: 'site',
  sort: 'excess',
  descending: true,
  filter: '',
  row: undefined,
  trace: '',
  pausedAt: undefined,
  theme: 'auto',
};

/** Reads the state from the part of an address after `#`. What makes no sense is left out. */
export function readState(hash: string): ViewState {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const one = <T extends string>(name: string, values: readonly T[], fallback: T): T =>
    values.find((value) => value === given.get(name)) ?? fallback;
  const sort = given.get('sort') ?? DEFAULTS.sort;
  const name = sort.replace(/^-/, '');
  const span = Number(given.get('span') ?? DEFAULTS.span);
  return {
    target: Number(given.get('target') ?? 0) || 0,
    picture: one('picture', PICTURES, DEFAULTS.picture),
    result: one('result', RESULTS, DEFAULTS.result),
    span: SPANS.includes(span) ? span : DEFAULTS.span,
    view: rangeIn(given.get('view')),
    range: rangeIn(given.get('range')),
    baseline: rangeIn(given.get('baseline')),
    by: one('by', GROUPINGS, DEFAULTS.by),
    sort: name in ORDERS ? name : DEFAULTS.sort,
    descending: !sort.startsWith('-'),
    filter: given.get('filter') ?? '',
    row: given.get('row') ?? undefined,
    trace: given.get('trace') ?? '',
    pausedAt: Number(given.get('paused')) || undefined,
    theme: one('theme', THEMES, DEFAULTS.theme),
  };
}

/** The state as the part of an address after `#`; what is as usual is left out. */
export function writeState(state: ViewState): string {
  const texts: Record<string, string> = {
    target: String(state.target),
    picture: state.picture,
    result: state.result,
    span: String(state.span),
    view: rangeText(state.view),
    range: rangeText(state.range),
    baseline: rangeText(state.baseline),
    by: state.by,
    sort: `${state.descending ? '' : '-'}${state.sort}`,
    filter: state.filter,
    row: state.row ?? '',
    trace: state.trace,
    paused: String(state.pausedAt ?? ''),
    theme: state.theme,
  };
  const usual: Record<string, string> = {
    target: '0',
    picture: DEFAULTS.picture,
    result: DEFAULTS.result,
    span: String(DEFAULTS.span),
    by: DEFAULTS.by,
    sort: DEFAULTS.sort,
    theme: DEFAULTS.theme,
  };
  const shown = Object.entries(texts).filter(([name, text]) => text !== '' && text !== usual[name]);
  return new URLSearchParams(shown).toString();
}

function rangeIn(text: string | null): Range | undefined {
  const [, start, end] = /^(\d{1,16})-(\d{1,16})$/.exec(text ?? '') ?? [];
  const range = { start: Number(start), end: Number(end) };
  return range.start < range.end ? range : undefined;
}

function rangeText(range: Range | undefined): string {
  return range === undefined ? '' : `${Math.round(range.start)}-${Math.round(range.end)}`;
}
