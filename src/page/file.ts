import { createHash } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import type { SafeText } from '../base/terminal.ts';
import { PAGE_SCHEMA, type PageDocument } from './format/document.ts';
import type { Assets } from './server/assets.ts';

/** The page and its data as one HTML file that needs nothing else: no server, no network. */
export function pageFile({ html, script, style }: Assets, document: PageDocument): SafeText {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // Replaced by functions: text of the page may hold what `replace` takes for patterns.
  return html
    .replace('<!-- policy -->', () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
    .replace('<link rel="stylesheet" href="style.css">', () => `<style>${style}</style>`)
    .replace(
      '<script defer src="main.js"></script>',
      () => `${dataElement(document)}<script>${script}</script>`,
    ) as SafeText;
}

const DATA_BEGIN = '<script type="application/json" id="data">';
const DATA_END = '</script>';

/** JSON in HTML: what could end the element, or begin a comment, is written otherwise. */
function dataElement(document: PageDocument): string {
  return `${DATA_BEGIN}${JSON.stringify(document).replaceAll('<', '\\u003c')}${DATA_END}`;
}

/** The data of a page that mapscope has written. @throws UserError when it is none */
export function readPageFile(html: string, name: string): PageDocument {
  const start = html.indexOf(DATA_BEGIN);
  const end = html.indexOf(DATA_END, start);
  const document = start < 0 || end < 0 ? undefined : parsed(html.slice(start + DATA_BEGIN.length, end));
  if (document?.schema !== PAGE_SCHEMA || !Array.isArray(document.documents)) {
    throw new UserError(`${name} is no page that mapscope has written.`);
  }
  return document as PageDocument;
}

function parsed(text: string): Partial<PageDocument> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The targets of several pages in one. */
export function mergePages(pages: readonly PageDocument[]): PageDocument {
  const [first] = pages;
  if (first === undefined) {
    throw new UserError('There is no page.');
  }
  const documents = pages
    .flatMap((page) => page.documents)
    .map((document, id) => ({ ...document, id, ended: true }));
  return {
    ...first,
    traceUrl: pages.find(({ traceUrl }) => traceUrl !== null)?.traceUrl ?? null,
    written: Math.max(...pages.map(({ written }) => written)),
    targets: documents.map(({ id, facts, ended }) => ({ id, facts, ended })),
    documents,
  };
}
