import type { NowDocument, StateDocument, TargetFacts } from '../format/document.ts';
import { RangeTotals } from './data/ranges.ts';
import { groupsOf, type Row, rowOf, rowsOf, sorted } from './data/rows.ts';
import { Series } from './data/series.ts';
import { type Interval, Timeline } from './data/timeline.ts';
import type { Range, ViewState } from './view-state.ts';

/** What the page shows: data and view, and what follows from both. Nothing here knows elements. */
export class Model {
  timeline = new Timeline();
  now: NowDocument | null = null;
  facts: TargetFacts | undefined;
  state: StateDocument | undefined;
  view: ViewState;
  #totals: RangeTotals | undefined;
  #totalsKey = '';
  #series: Series | undefined;
  #seriesKey = '';
  #all: { sites: number; groups: Map<string, number[]> } | undefined;
  #siteRows: { totals: RangeTotals; version: number; rows: Row[] } | undefined;
  #groups: { key: string; groups: Map<string, number[]> } | undefined;

  constructor(view: ViewState) {
    this.view = view;
  }

  /** Another target, or the same one anew. */
  replace(timeline: Timeline, facts: TargetFacts, now: NowDocument | null): void {
    this.timeline = timeline;
    this.facts = facts;
    this.now = now;
    this.#totals = this.#series = this.#all = this.#siteRows = this.#groups = undefined;
  }

  /** What lookups visit: the word for it. */
  get unit(): 'groups' | 'buckets' {
    return this.facts?.mapImplementation === 'classic' ? 'buckets' : 'groups';
  }

  /** The newest time that is shown. */
  get end(): number {
    return this.view.pausedAt ?? this.timeline.end;
  }

  /** The part of time in the pictures. */
  get shown(): Range {
    const { view, span } = this.view;
    if (view !== undefined) {
      return view;
    }
    const { start } = this.timeline;
    const end = Math.max(this.end, start + 1);
    return { start: span === 0 ? start : Math.max(start, end - span * 1e6), end };
  }

  /** The part of time in the figures and the table: what was selected, else what is shown. */
  get range(): Range {
    return this.view.range ?? this.shown;
  }

  /** Sums of the range. A range that moves along is brought up to date by what is new in it. */
  get totals(): RangeTotals {
    const { start, end } = this.range;
    const follows = this.view.range === undefined && this.view.view === undefined;
    const key = follows ? `span ${this.view.span}` : `${start} ${end}`;
    const intervals = this.timeline.between(start, end);
    if (this.#totals === undefined || this.#totalsKey !== key || !this.#moveTo(this.#totals, intervals)) {
      const spark = this.view.span > 0 && follows ? this.view.span * 1e6 : end - start;
      this.#totals = new RangeTotals(this.timeline, spark);
      this.#totalsKey = key;
      for (const interval of intervals) {
        this.#totals.add(interval);
      }
    }
    return this.#totals;
  }

  /** @returns false when they have nothing in common */
  #moveTo(totals: RangeTotals, intervals: readonly Interval[]): boolean {
    const [first] = intervals;
    while (totals.intervals.length > 0 && totals.intervals[0] !== first) {
      totals.removeOldest();
    }
    if (totals.intervals.length === 0 || totals.intervals.length > intervals.length) {
      return false;
    }
    if (totals.intervals.at(-1) !== intervals[totals.intervals.length - 1]) {
      return false;
    }
    for (const interval of intervals.slice(totals.intervals.length)) {
      totals.add(interval);
    }
    return true;
  }

  get #rowGroups(): Map<string, number[]> {
    const { by, filter } = this.view;
    const key = JSON.stringify([by, filter, this.timeline.sites.length]);
    if (this.#groups?.key !== key) {
      this.#groups = { key, groups: groupsOf(this.timeline.sites, by, filter) };
    }
    return this.#groups.groups;
  }

  /** Rows of the table, sorted. */
  get rows(): Row[] {
    const { by, filter, sort, descending } = this.view;
    const rows = by === 'site' && filter === '' ? this.siteRows : rowsOf(this.totals, this.#rowGroups);
    return sorted(rows, sort, descending);
  }

  /** Every call site by itself, in any order. Several views want them, and there may be thousands. */
  get siteRows(): readonly Row[] {
    const { totals } = this;
    if (this.#siteRows?.totals !== totals || this.#siteRows.version !== totals.version) {
      const sites = this.timeline.sites.length;
      if (this.#all?.sites !== sites) {
        this.#all = { sites, groups: groupsOf(this.timeline.sites, 'site', '') };
      }
      this.#siteRows = { totals, version: totals.version, rows: rowsOf(totals, this.#all.groups) };
    }
    return this.#siteRows.rows;
  }

  /** Call sites of the row that is looked at; undefined: of none, or none that is there. */
  get focus(): readonly number[] | undefined {
    const { row, by } = this.view;
    return row === undefined ? undefined : groupsOf(this.timeline.sites, by, '').get(row);
  }

  /** The row looked at, in the range; undefined without one, or without lookups in it. */
  get focusRow(): Row | undefined {
    const { row } = this.view;
    const { focus } = this;
    return row === undefined || focus === undefined ? undefined : rowOf(this.totals, row, focus);
  }

  /** What the pictures show. */
  get series(): Series {
    const { row, by, result } = this.view;
    const key = JSON.stringify([row, by, result, row === undefined ? 0 : this.focus?.length]);
    if (this.#series === undefined || this.#seriesKey !== key) {
      const { focus } = this;
      this.#series = new Series({ sites: focus && new Set(focus), result });
      this.#seriesKey = key;
    }
    return this.#series;
  }
}
