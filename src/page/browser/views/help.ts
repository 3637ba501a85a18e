import { byId, el, tableOf } from '../dom.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'filter the call sites'],
  ['↑ ↓ or k j', 'go through the table'],
  ['1 2 3 4', 'probe length, key comparisons, home position, load factor'],
  ['← →, with Shift', 'on the time line: move the cursor, select a range'],
  ['drag, Shift and drag', 'on the time line: select a range, a baseline'],
  ['b', 'make the range the baseline'],
  ['z, f', 'zoom to the range, fit all'],
  ['p', 'pause'],
  ['Escape', 'close the detail, clear the range and the baseline'],
];

const WORDS: readonly (readonly [string, string])[] = [
  [
    'group, bucket',
    'the eight slots that a lookup looks at together; in a healthy map the first one is nearly always enough',
  ],
  ['probe length', 'groups or buckets that a lookup visited, at least 1'],
  ['key comparisons', 'keys compared in full'],
  [
    'home position',
    'where the hash sends the key, as a share of the table. One popular key makes one row hot: that is no skewed hash',
  ],
  ['load factor', 'entries per slot'],
  ['tombstone', 'a slot of a deleted entry that lookups have to pass'],
  [
    'window',
    'a short time in which lookups are decoded; between windows nothing is attached, and nothing is known',
  ],
  ['estimated', 'scaled from windows to all time. Counts are never scaled'],
];

/** Keys and words, in a dialog. */
export function setUpHelp(): void {
  const dialog = byId('help') as HTMLDialogElement;
  dialog.append(
    el(
      'div',
      { class: 'bar' },
      el('h2', { id: 'help-title', text: 'Keys and words' }),
      el('button', { type: 'button', 'aria-label': 'Close', text: '×', onclick: () => dialog.close() }),
    ),
    tableOf(
      'Keys',
      ['key', 'what it does'],
      KEYS.map(([key, what]) => [el('kbd', { text: key }), what]),
      () => false,
    ),
    tableOf(
      'Words',
      ['word', 'meaning'],
      WORDS.map(([word, meaning]) => [word, meaning]),
      () => false,
    ),
  );
  byId('help-open').addEventListener('click', () => dialog.showModal());
}
