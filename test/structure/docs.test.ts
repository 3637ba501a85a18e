// What the documents point to exists: paths and files of the repository in backticks, and relative links.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENTS = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
const FILES = globSync('{src,bpf,native,test,tools}/**/*.{ts,mjs,c,h,cc,go}', { cwd: ROOT });

/** A path from the root, perhaps with globs and alternatives; what follows a space is not part of it. */
const PATH = /^(?:src|bpf|native|test|tools|docs|otel-config)\/[\w.,/*{}-]*/;

/** A source file by its name alone, or by the last part of its path. Not `*.bpf.c`, and not what set-up makes. */
const SOURCE = /^(?!build\/)[\w-][\w./-]*\.(?:ts|mjs|cc|bpf\.[ch]|h)$/;

/** In the kernel's and libbpf's sources, not in ours. */
const ELSEWHERE = /^(?:kernel|linux|arch|include)\//;

const textOf = (document: string): string => readFileSync(join(ROOT, document), 'utf8');

function quotedIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, inner = '']) => inner);
}

const pathsIn = (text: string): string[] => quotedIn(text).flatMap((inner) => PATH.exec(inner)?.[0] ?? []);

function sourcesIn(text: string): string[] {
  return quotedIn(text).filter((inner) => SOURCE.test(inner) && !ELSEWHERE.test(inner));
}

function linksIn(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Names of the headings as links use them. */
function anchorsOf(text: string): string[] {
  const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title.toLowerCase());
  return titles.map((title) => title.replace(/[^\w\s-]/g, '').replaceAll(' ', '-'));
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  return (
    existsSync(join(ROOT, target)) && (anchor === undefined || anchorsOf(textOf(target)).includes(anchor))
  );
}

/** What of the finds in all documents is wrong, each with its document. */
function wrong(find: (text: string) => string[], isRight: (found: string, document: string) => boolean) {
  return DOCUMENTS.flatMap((document) =>
    find(textOf(document))
      .filter((found) => !isRight(found, document))
      .map((found) => `${document}: ${found}`),
  );
}

test('there are documents, with paths and links', () => {
  const texts = DOCUMENTS.map(textOf);
  assert.ok(DOCUMENTS.includes('README.md') && DOCUMENTS.includes('docs/metrics.md'));
  assert.ok(texts.flatMap(pathsIn).length > 50);
  assert.ok(texts.flatMap(sourcesIn).length > 50);
  assert.ok(texts.flatMap(linksIn).length > 15);
});

test('every path in backticks exists', () => {
  assert.deepEqual(
    wrong(pathsIn, (path) => globSync(path, { cwd: ROOT }).length > 0),
    [],
  );
});

test('every source file in backticks exists somewhere', () => {
  const exists = (name: string) => FILES.some((file) => `/${file}`.endsWith(`/${name}`));
  assert.deepEqual(wrong(sourcesIn, exists), []);
});

test('every relative link leads somewhere', () => {
  assert.deepEqual(
    wrong(linksIn, (link, document) => leadsSomewhere(document, link)),
    [],
  );
});
