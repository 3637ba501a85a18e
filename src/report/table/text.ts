import { callSiteText } from '../../base/call-site.ts';
import { countOf, duration, percent, wholeNumber } from '../../base/text.ts';
import type { Target } from '../../model/target.ts';
import type { Summary, SummarySpikes } from '../summary/schema.ts';
import { fullTables } from './full-tables.ts';

/** A sentence below the table. */
export interface Remark {
  text: string;
  /** Something is missing or in doubt. */
  warning: boolean;
}

/** What was observed, or verified, in one line. */
export function targetLine(
  target: Pick<
    Target,
    'exe' | 'pid' | 'goVersion' | 'mapImplementation' | 'stripped' | 'exitCode' | 'signal'
  > & {
    image?: string | undefined;
  },
): string {
  const facts = [
    `pid ${target.pid}`,
    target.goVersion,
    target.mapImplementation === 'swiss' ? 'Swiss maps' : 'classic maps',
    ...(target.stripped ? ['stripped'] : []),
    ...(target.exitCode === null ? [] : [`exit status ${target.exitCode}`]),
    ...(target.signal === null ? [] : [`ended by ${target.signal}`]),
  ];
  const what = target.image === undefined ? target.exe : `${target.image}, mapped by ${target.exe}`;
  return `${what} (${facts.join(', ')})`;
}

/** What a program may do with maps all the time without one lookup that is seen. */
const NOT_WATCHED =
  'Assignments (m[k] = v, m[k]++), delete, range, and sync.Map from Go 1.24 on are not watched.';

/** How much was observed, in one line. */
export function totalsLine({ observed, mode, callSites }: Summary): string {
  const time =
    mode === 'all'
      ? `in ${duration(observed.seconds)}, always attached`
      : `in ${countOf(observed.windows, 'window')} of ${duration(observed.attachedSeconds)} in all, out of ${duration(observed.seconds)}`;
  if (observed.lookups === 0) {
    return `No map lookups were recorded ${time}. ${NOT_WATCHED}`;
  }
  const sites = countOf(callSites.length, 'call site');
  const hits = percent(observed.hits, observed.lookups);
  return `${countOf(observed.lookups, 'lookup')}, ${hits} % of them hits, at ${sites} ${time}.`;
}

/** Spikes shown below the table. */
const SHOWN_SPIKES = 3;

/** How many spikes there were, and the newest few, a line each; nothing when they were not looked for. */
export function spikeLines({ spikes }: Summary): string[] {
  if (spikes === undefined) {
    return [];
  }
  const { seen, threshold, latest } = spikes;
  const limit = threshold.endsWith('x')
    ? `${threshold.slice(0, -1)} times the mean of their call site`
    : threshold;
  const verb = seen === 1 ? 'was a spike' : 'were spikes';
  const shown = latest.slice(0, SHOWN_SPIKES);
  return [
    `${countOf(seen, 'lookup')} ${verb}: more probes or comparisons than ${limit}${shown.length > 0 ? '. The newest:' : '.'}`,
    ...shown.map(spikeLine),
  ];
}

function spikeLine(spike: SummarySpikes['latest'][number]): string {
  const { probeLength, keyComparisons, goroutine, traceId } = spike;
  const facts = [
    countOf(probeLength, 'probe'),
    countOf(keyComparisons, 'compare'),
    spike.type,
    callSiteText(spike),
    `goroutine ${goroutine}`,
    ...(traceId === undefined ? [] : [`trace ${traceId}`]),
  ];
  return `  ${facts.join(', ')}`;
}

/** What observation has cost, in one line. */
export function costLine({ overhead, mode }: Summary): string {
  const { hits, trapSeconds, decodeSeconds, decodedHits, budget, measured, stops, margin } = overhead;
  const limit = budget === null ? 'no limit in mode all' : `budget ${shareText(budget)}`;
  const each = `${micros(trapSeconds)} each${measured ? '' : ' (assumed)'}`;
  const decoded = `${wholeNumber(decodedHits)} decoded for ${micros(decodeSeconds)} more`;
  const stopped =
    stops > 0 ? `; the budget could not be kept ${stops === 1 ? 'once' : `${stops} times`}` : '';
  const opened = mode === 'all' ? '' : ` in ${countOf(overhead.windows, 'window')}`;
  return `Cost: about ${costText(overhead)} (${limit}): ${countOf(hits, 'hit')}${opened}, ${each}, ${decoded}, and ${wholeNumber(100 * margin)} % on both for caches${stopped}.`;
}

function costText({ share, costSeconds, targetCpuSeconds }: Summary['overhead']): string {
  if (share !== null) {
    return `${shareText(share)} of the target's CPU time, ${duration(costSeconds)}`;
  }
  const total = targetCpuSeconds === null ? "the target's total is unknown" : 'the target used none';
  return `${duration(costSeconds)} of CPU time; ${total}`;
}

function micros(seconds: number): string {
  return `${(1e6 * seconds).toFixed(2)} µs`;
}

function shareText(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

/** What is missing or uncertain, a sentence each; one reassuring sentence when nothing is. */
export function remarks(summary: Summary): Remark[] {
  const { observed, refusedFunctions, following } = summary;
  const warnings: string[] = [];
  warnings.push(...lost(observed.unreadable, 'decoded', observed.unreadableByReason));
  warnings.push(...lost(observed.dropped, 'recorded', observed.droppedByReason));
  warnings.push(...withoutOutcome(summary));
  for (const { name, reason } of refusedFunctions) {
    warnings.push(`Lookups by ${name} were not observed (${reason}).`);
  }
  if (observed.inexact > 0) {
    const which = reasons(observed.inexactByReason);
    warnings.push(
      `The result or comparison count of ${countOf(observed.inexact, 'lookup')} is not certain (${which}).`,
    );
  }
  warnings.push(...fullTables(summary));
  const unreadable = following?.lost.unreadable ?? 0;
  if (unreadable > 0) {
    warnings.push(
      `${countOf(unreadable, 'span start or end', 'span starts or ends')} could not be followed; some lookups may lack their span.`,
    );
  }
  if (warnings.length === 0 && observed.lookups > 0) {
    return [{ text: 'Every lookup seen was decoded and recorded.', warning: false }];
  }
  return warnings.map((text) => ({ text, warning: true }));
}

/** What does not add up, a sentence each. */
function withoutOutcome({ observed, mode }: Summary): string[] {
  const { deferred, deferredAndMatched, unaccounted } = observed;
  const sentences: string[] = [];
  const lost = deferred - deferredAndMatched;
  if (lost > 0) {
    const them = lost === 1 ? 'it' : 'them';
    const edge = mode === 'windows' ? ' (a window may have ended in between)' : '';
    sentences.push(`${countOf(lost, 'lookup')} went on to a probe site that did not see ${them}${edge}.`);
  }
  if (unaccounted !== 0) {
    sentences.push(
      `What became of ${countOf(Math.abs(unaccounted), 'hit')} of probe sites is not known; these numbers may be wrong.`,
    );
  }
  return sentences;
}

function lost(count: number, what: string, byReason: Readonly<Record<string, number>>): string[] {
  if (count === 0) {
    return [];
  }
  const verb = count === 1 ? 'is' : 'are';
  const lookups = countOf(count, 'lookup');
  return [`${lookups} could not be ${what} (${reasons(byReason)}) and ${verb} not in these numbers.`];
}

function reasons(byReason: Readonly<Record<string, number>>): string {
  return Object.entries(byReason)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason.replaceAll('_', ' ')} ${wholeNumber(count)}`)
    .join(', ');
}
