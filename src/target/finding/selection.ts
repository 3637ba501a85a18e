import { basename } from 'node:path';
import { EXCLUSION_NAMES, EXCLUSIONS, type ExclusionName } from './built-in-exclusions.ts';
import { pathGlob, textGlob } from './glob.ts';
import type { ProcessFacts } from './process-facts.ts';

/** What a rule asks of a process; all of it must hold. */
export interface Criteria {
  /** A glob over the executable's path when it has a slash, else over its name. */
  readonly exe?: string;
  /** A glob over the arguments, the program's own name first, with blanks between them. */
  readonly command?: string;
  /** A TCP port that the process listens on: one, or from the first to the last. */
  readonly port?: readonly [first: number, last: number];
  /** The beginning of a container's id; `any` for every container. */
  readonly container?: string;
  /** A label of the pod: `key=value`, or `key` with any value. */
  readonly podLabel?: string;
  /** The executable is a Go program. */
  readonly go?: true;
}

/** One step of a selection. */
export interface Rule {
  readonly action: 'include' | 'exclude';
  readonly criteria: Criteria;
}

/** Which processes are observed: the first rule that matches a process decides, and without one it is left alone. */
export interface Selection {
  readonly rules: readonly Rule[];
  /** Built-in exclusions that are turned off. All others apply whatever the rules say. */
  readonly withoutExclusions: readonly ExclusionName[];
}

/** What is done with a process, and why. */
export interface Decision {
  readonly observe: boolean;
  /** Index into the rules of the one that matches first; undefined when none does. */
  readonly rule: number | undefined;
  /** The built-in exclusion that leaves it out although a rule would include it. */
  readonly exclusion: ExclusionName | undefined;
  /** The process decides otherwise by opening a port, which tells nobody. */
  readonly mayChange: boolean;
}

/** Decides about a process as it is now. */
export function decide(facts: ProcessFacts, { rules, withoutExclusions }: Selection): Decision {
  if (facts.exe === undefined) {
    return { observe: false, rule: undefined, exclusion: undefined, mayChange: false };
  }
  const found = rules.findIndex(({ criteria }) => matches(facts, criteria));
  const rule = found < 0 ? undefined : found;
  const wouldObserve = rule !== undefined && rules[rule]?.action === 'include';
  // Asked last: it may have to read the executable.
  const exclusion = wouldObserve
    ? EXCLUSION_NAMES.find((name) => !withoutExclusions.includes(name) && EXCLUSIONS[name].isOf(facts))
    : undefined;
  const earlier = rules.slice(0, rule ?? rules.length);
  return {
    observe: wouldObserve && exclusion === undefined,
    rule,
    exclusion,
    mayChange: earlier.some(({ criteria }) => waitsForPort(facts, criteria)),
  };
}

/** All but the port holds. */
function waitsForPort(facts: ProcessFacts, { port, ...others }: Criteria): boolean {
  return port !== undefined && matches(facts, others);
}

/** What is cheap to know is asked first. */
function matches(facts: ProcessFacts, { exe, command, container, podLabel, go, port }: Criteria): boolean {
  return (
    (exe === undefined || matchesPath(facts.exe ?? '', exe)) &&
    (command === undefined || textGlob(command).test(facts.command)) &&
    (container === undefined || matchesContainer(facts.container, container)) &&
    (podLabel === undefined || matchesLabel(facts.podLabels, podLabel)) &&
    (go === undefined || facts.isGo) &&
    (port === undefined || facts.ports.some((own) => own >= port[0] && own <= port[1]))
  );
}

function matchesPath(path: string, pattern: string): boolean {
  return pathGlob(pattern).test(pattern.includes('/') ? path : basename(path));
}

function matchesContainer(id: string | undefined, wanted: string): boolean {
  return id !== undefined && (wanted === 'any' || id.startsWith(wanted));
}

function matchesLabel(labels: ReadonlyMap<string, string>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  return at < 0 ? labels.has(wanted) : labels.get(wanted.slice(0, at)) === wanted.slice(at + 1);
}

/** A rule in words, such as `include exe=shop*, port=8080`. */
export function ruleInWords({ action, criteria }: Rule): string {
  return `${action} ${criteriaInWords(criteria)}`;
}

function criteriaInWords({ port, ...others }: Criteria): string {
  const words = Object.entries(others).map(([name, value]) => (value === true ? name : `${name}=${value}`));
  if (port !== undefined) {
    words.push(`port=${port[0] === port[1] ? port[0] : port.join('-')}`);
  }
  return words.join(', ');
}

/** Why a process is observed or not, as a sentence without its full stop. */
export function decisionInWords({ rule, exclusion, mayChange }: Decision, { rules }: Selection): string {
  const deciding = rule === undefined ? undefined : rules[rule];
  const waiting = mayChange ? ' yet; another would when it listens on its port' : '';
  if (rule === undefined || deciding === undefined) {
    return `no rule matches${waiting}`;
  }
  const words = `rule ${rule + 1} (${ruleInWords(deciding)})`;
  return exclusion === undefined
    ? words
    : `the built-in exclusion ${exclusion}, for it is ${EXCLUSIONS[exclusion].what}; ${words} would take it`;
}
