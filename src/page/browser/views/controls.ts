import { GROUPINGS, type Grouping } from '../data/rows.ts';
import { byId, setShown, setText } from '../dom.ts';
import type { Model } from '../model.ts';
import { clock, span } from '../numbers.ts';
import { PICTURES, RESULTS, SPANS, THEMES, type ViewState } from '../view-state.ts';
import { Choices } from './choices.ts';
import { setUpHelp } from './help.ts';
import { rowName } from './site-table.ts';
import { PICTURE_NAMES } from './time-pane.ts';

type Change = (change: Partial<ViewState>) => void;

/** Buttons, fields and keys. */
export interface Controls {
  update(model: Model): void;
}

export function setUpControls(change: Change, model: Model): Controls {
  const pictures = new Choices(
    byId('pictures'),
    PICTURES,
    (one) => PICTURE_NAMES[one],
    (picture) => change({ picture }),
  );
  const results = new Choices(
    byId('results'),
    RESULTS,
    (one) => (one === 'both' ? 'all' : one),
    (result) => change({ result }),
  );
  const spans = new Choices(byId('spans'), SPANS, spanName, (chosen) =>
    change({ span: chosen, view: undefined, range: undefined }),
  );
  const groupings = new Choices(
    byId('groupings'),
    GROUPINGS,
    (one) => GROUPING_NAMES[one],
    (by) => change({ by, row: undefined }),
  );
  const filter = byId('filter') as HTMLInputElement;
  const trace = byId('trace') as HTMLInputElement;
  filter.addEventListener('input', () => change({ filter: filter.value }));
  trace.addEventListener('input', () => change({ trace: trace.value }));
  const actions = actionsOf(change, model);
  for (const [id, act] of Object.entries(actions.buttons)) {
    byId(id).addEventListener('click', act);
  }
  document.addEventListener('keydown', (event) => pressed(event, actions));
  setUpHelp();
  return {
    update: ({ view, ...rest }) => {
      pictures.update(view.picture);
      results.update(view.result);
      spans.update(view.view === undefined ? view.span : undefined);
      groupings.update(view.by);
      for (const [field, value] of [
        [filter, view.filter],
        [trace, view.trace],
      ] as const) {
        if (document.activeElement !== field && field.value !== value) {
          field.value = value;
        }
      }
      setText(byId('pause'), view.pausedAt === undefined ? 'Pause' : 'Go on');
      byId('pause').setAttribute('aria-pressed', String(view.pausedAt !== undefined));
      setText(byId('theme'), { auto: 'Theme: auto', light: 'Theme: light', dark: 'Theme: dark' }[view.theme]);
      setText(byId('selection'), selectionText(view));
      for (const [id, shown] of [
        ['as-baseline', view.range !== undefined],
        ['zoom', view.range !== undefined],
        ['clear', view.range !== undefined || view.baseline !== undefined],
      ] as const) {
        setShown(byId(id), shown);
      }
      void rest;
      focusChip(model);
    },
  };
}

const GROUPING_NAMES: Readonly<Record<Grouping, string>> = {
  site: 'call site',
  type: 'map type',
  function: 'function',
  package: 'package',
};

function spanName(seconds: number): string {
  return seconds === 0 ? 'all' : seconds < 3_600 ? `${seconds / 60} min` : `${seconds / 3_600} h`;
}

function selectionText({ range, baseline }: ViewState): string {
  const text = ({ start, end }: { start: number; end: number }) =>
    `${clock(start)} to ${clock(end)} (${span((end - start) / 1e6)})`;
  if (range === undefined && baseline === undefined) {
    return 'Drag over the pictures to select a range.';
  }
  const parts = [range && `Range ${text(range)}`, baseline && `baseline ${text(baseline)}`].filter(
    (part) => part !== undefined,
  );
  return `${parts.join(', ')}.`;
}

/** Says that the pictures show one row only. */
function focusChip(model: Model): void {
  const chip = byId('focus');
  const { row } = model.view;
  const { focus } = model;
  setShown(chip, row !== undefined && focus !== undefined);
  if (row !== undefined && focus !== undefined) {
    setText(chip, `only ${rowName({ key: row, sites: focus }, model).name} ×`);
  }
}

function actionsOf(change: Change, model: Model) {
  const zoom = () => model.view.range && change({ view: model.view.range, range: undefined });
  const asBaseline = () => model.view.range && change({ baseline: model.view.range, range: undefined });
  const pause = () =>
    change({ pausedAt: model.view.pausedAt === undefined ? model.timeline.end : undefined });
  const fit = () => change({ view: undefined, range: undefined, span: 0 });
  /** First what was selected, then the row that is looked at. */
  const clear = () => {
    const { range, baseline, row } = model.view;
    change(
      range === undefined && baseline === undefined && row !== undefined
        ? { row: undefined }
        : { range: undefined, baseline: undefined },
    );
  };
  const theme = () => {
    const next = THEMES[(THEMES.indexOf(model.view.theme) + 1) % THEMES.length] ?? 'auto';
    change({ theme: next });
  };
  return {
    buttons: {
      zoom,
      'as-baseline': asBaseline,
      pause,
      fit,
      clear,
      theme,
      focus: () => change({ row: undefined }),
    },
    keys: { z: zoom, b: asBaseline, p: pause, f: fit, Escape: clear } as Readonly<Record<string, () => void>>,
    picture: (number: number) => {
      const picture = PICTURES[number];
      return picture && change({ picture });
    },
  };
}

function pressed(event: KeyboardEvent, actions: ReturnType<typeof actionsOf>): void {
  const target = event.target as HTMLElement;
  const isTyping = target.matches('input, select, textarea') || (byId('help') as HTMLDialogElement).open;
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (isTyping) {
    if (event.key === 'Escape') {
      target.blur();
    }
    return;
  }
  if (event.key === '/') {
    event.preventDefault();
    byId('filter').focus();
  } else if (event.key === '?') {
    (byId('help') as HTMLDialogElement).showModal();
  } else if (/^[1-4]$/.test(event.key)) {
    actions.picture(Number(event.key) - 1);
  } else {
    actions.keys[event.key]?.();
  }
}
