// Makes Go's own lookup functions count, so that the oracle's truth can be proved by the runtime itself: an overlay of a
// toolchain's sources in which every bucket or group visited and every key compared adds one to a variable.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goRoot } from './go-toolchains.ts';

interface Edit {
  /** Matches a whole line, without its indentation. */
  readonly line: RegExp;
  /** The lines that take its place; `$&` is the line itself. */
  readonly becomes: string;
}

const VISIT = 'oracleVisited++';
const COMPARE = 'oracleCompared++';

const before = (statement: string) => `${statement}\n$&`;
const after = (statement: string) => `$&\n${statement}`;

const CLASSIC_EDITS: readonly Edit[] = [
  { line: /^for ; b != nil; b = b\.overflow\(t\) \{$/, becomes: after(VISIT) },
  { line: /^if t\.(Key\.Equal|key\.equal)\(key, k\) \{$/, becomes: before(COMPARE) },
  { line: /^if \*\(\*uint(32|64)\)\(k\) == key && .*$/, becomes: before(COMPARE) },
  { line: /^if k\.str == key\.str \|\| memequal\(.*$/, becomes: before(COMPARE) },
  // Strings in a map of one bucket: the bucket is visited without a loop over a chain, and with `dohash` once more.
  { line: /^b := \(\*bmap\)\(h\.buckets\)$/, becomes: after(VISIT) },
  { line: /^if k\.str == key\.str \{$/, becomes: after(COMPARE) },
  { line: /^if memequal\(k\.str, key\.str, .*$/, becomes: before(COMPARE) },
  { line: /^dohash:$/, becomes: after('oracleVisited = 0') },
];

const SWISS_EDITS: readonly Edit[] = [
  { line: /^if m\.dirLen [<=]= 0 \{$/, becomes: after(VISIT) },
  { line: /^for ; ; seq = seq\.next\(\) \{$/, becomes: after(VISIT) },
  { line: /^if typ\.Key\.Equal\(key, slotKey\) \{$/, becomes: before(COMPARE) },
  { line: /^if key == \*\(\*(uint32|uint64|string)\)\(slotKey\).*$/, becomes: before(COMPARE) },
  { line: /^if uint8\(ctrls\) == h2 && (.*)$/, becomes: 'if uint8(ctrls) == h2 && oracleCompares() && $1' },
];

/** The functions that search a map for a key. */
const SEARCHING =
  /^func (\(m \*Map\) )?((runtime_)?mapaccess[12](_fast\w+)?|getWithKeySmall|getWithoutKeySmallFastStr)\([\s\S]*?^\}$/gm;

const countersFile = (packageName: string) => `package ${packageName}

import _ "unsafe"

//go:linkname oracleVisited runtime.oracleVisited
var oracleVisited uint64

//go:linkname oracleCompared runtime.oracleCompared
var oracleCompared uint64

func oracleCompares() bool {
	oracleCompared++
	return true
}
`;

function withCounting(source: string, edits: readonly Edit[], used: Set<Edit>): string {
  const editLine = (line: string): string => {
    const indentation = /^\t*/.exec(line)?.[0] ?? '';
    const bare = line.slice(indentation.length);
    const edit = edits.find((candidate) => candidate.line.test(bare));
    if (edit === undefined) {
      return line;
    }
    used.add(edit);
    return indentation + bare.replace(edit.line, edit.becomes);
  };
  return source.replace(SEARCHING, (text) => text.split('\n').map(editLine).join('\n'));
}

function overlayOf(
  folder: string,
  packageName: string,
  files: readonly string[],
  edits: readonly Edit[],
): Record<string, string> {
  const used = new Set<Edit>();
  const overlay: Record<string, string> = { [join(folder, 'oracle_counters.go')]: countersFile(packageName) };
  for (const path of files.map((name) => join(folder, name)).filter(existsSync)) {
    overlay[path] = withCounting(readFileSync(path, 'utf8'), edits, used);
  }
  const unused = edits.find((edit) => !used.has(edit));
  if (unused !== undefined) {
    throw new Error(`${folder}: no line matches ${unused.line}`);
  }
  return overlay;
}

/** The overlay for a toolchain; to be built with the tag `counted`. */
export async function countedRuntime(version: string): Promise<Record<string, string>> {
  const sources = join(await goRoot(version), 'src');
  const swiss = join(sources, 'internal/runtime/maps');
  if (!existsSync(swiss)) {
    const files = ['map.go', 'map_fast32.go', 'map_fast64.go', 'map_faststr.go'];
    return overlayOf(join(sources, 'runtime'), 'runtime', files, CLASSIC_EDITS);
  }
  const files = ['runtime', 'runtime_fast32', 'runtime_fast64', 'runtime_faststr'];
  const names = ['map.go', ...files.flatMap((name) => [`${name}.go`, `${name}_swiss.go`])];
  return overlayOf(swiss, 'maps', names, SWISS_EDITS);
}
