/** What an element gets: attributes, `class`, `text`, and functions for events (`onclick`). */
export type Properties = Readonly<Record<string, string | number | boolean | EventListener | undefined>>;

/** Makes an element. What is false or undefined is left out. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: (Node | string | undefined | false)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    setProperty(element, key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

function setProperty(element: HTMLElement, key: string, value: Properties[string]): void {
  if (value === undefined || value === false) {
    return;
  }
  if (typeof value === 'function') {
    element.addEventListener(key.slice('on'.length), value);
  } else if (key === 'text') {
    element.textContent = String(value);
  } else {
    element.setAttribute(key, value === true ? '' : String(value));
  }
}

/** Changes text only where it differs: what did not change is not drawn again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Shows or hides. */
export function setShown(element: HTMLElement, shown: boolean): void {
  if (element.hidden === shown) {
    element.hidden = !shown;
  }
}

/** A part of the page that is there. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}

/** A table of text, for those who do not see pictures, and for lists. Cells that are numbers are set to the right. */
export function tableOf(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | Node)[])[],
  numeric: (column: number) => boolean = (column) => column > 0,
): HTMLTableElement {
  const cell = (name: 'th' | 'td', content: string | Node, column: number) =>
    el(
      name,
      { class: numeric(column) ? 'number' : undefined, scope: name === 'th' ? 'col' : undefined },
      content,
    );
  return el(
    'table',
    { class: 'plain' },
    el('caption', { text: caption }),
    el('thead', {}, el('tr', {}, ...head.map((title, column) => cell('th', title, column)))),
    el(
      'tbody',
      {},
      ...rows.map((row) => el('tr', {}, ...row.map((content, column) => cell('td', content, column)))),
    ),
  );
}
