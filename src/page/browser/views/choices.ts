import { el } from '../dom.ts';

/** One of several things to choose from, as buttons side by side. */
export class Choices<T extends string | number> {
  readonly #buttons: ReadonlyMap<T, HTMLButtonElement>;

  constructor(
    parent: HTMLElement,
    values: readonly T[],
    label: (value: T) => string,
    choose: (value: T) => void,
  ) {
    this.#buttons = new Map(
      values.map((value) => {
        const button = el('button', {
          type: 'button',
          role: 'radio',
          'aria-checked': 'false',
          text: label(value),
          onclick: () => choose(value),
        });
        button.dataset.value = String(value);
        return [value, button];
      }),
    );
    parent.append(...this.#buttons.values());
    parent.addEventListener('keydown', (event) => this.#move(event));
  }

  /** Shows what is chosen; undefined: none of them. */
  update(chosen: T | undefined): void {
    const hasOne = chosen !== undefined && this.#buttons.has(chosen);
    let isFirst = true;
    for (const [value, button] of this.#buttons) {
      button.setAttribute('aria-checked', String(value === chosen));
      // One of the group is reached by Tab, the others by arrows.
      button.tabIndex = value === chosen || (!hasOne && isFirst) ? 0 : -1;
      isFirst = false;
    }
  }

  #move(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const buttons = [...this.#buttons.values()];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (step === undefined || at < 0) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next?.focus();
    next?.click();
  }
}
