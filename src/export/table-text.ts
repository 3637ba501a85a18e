import type { Summary, SummarySpikes } from '../model/summary-schema.ts';
import { callSiteText, countOf, duration, percent, printable, wholeNumber } from './text.ts';

/** A sentence below the table. */
export interface Remark {
  text: string;
  /** Something is missing or in doubt. */
  warning: boolean;
}

/** What was observed, in one line. */
export function targetLine({ target }: Summary): string {
  const facts = [
    `pid ${target.pid}`,
    target.goVersion,
    target.mapImplementation === 'swiss' ? 'Swiss maps' : 'classic maps',
    ...(target.stripped ? ['stripped'] : []),
    ...(target.exitCode === null ? [] : [`exit status ${target.exitCode}`]),
  ];
  return printable(`${target.exe} (${facts.join(', ')})`);
}

/** How much was observed, in one line. */
export function totalsLine({ observed, mode, callSites }: Summary, shown: number): string {
  const time =
    mode === 'all'
      ? `in ${duration(observed.seconds)}, always attached`
      : `in ${countOf(observed.windows, 'window')} of ${duration(observed.attachedSeconds)} in all, out of ${duration(observed.seconds)}`;
  if (observed.lookups === 0) {
    return `No map lookups were recorded ${time}.`;
  }
  const sites = countOf(callSites.length, 'call site');
  const busiest = shown === 1 ? 'busiest is' : `${shown} busiest are`;
  const part = shown < callSites.length ? `; the ${busiest} shown` : '';
  const hits = percent(observed.hits, observed.lookups);
  return `${countOf(observed.lookups, 'lookup')}, ${hits} % of them hits, at ${sites} ${time}${part}.`;
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
    printable(spike.type),
    callSiteText(spike),
    `goroutine ${goroutine}`,
    ...(traceId === undefined ? [] : [`trace ${traceId}`]),
  ];
  return `  ${facts.join(', ')}`;
}

/** What observation has cost, in one line. */
export function costLine({ overhead, mode }: Summary): string {
  const { share, hits, trapSeconds, decodeSeconds, decodedHits, budget, measured, stops } = overhead;
  const limit = budget === null ? 'no limit in mode all' : `budget ${shareText(budget)}`;
  const each = `${micros(trapSeconds)} each${measured ? '' : ' (assumed)'}`;
  const decoded = `${wholeNumber(decodedHits)} decoded for ${micros(decodeSeconds)} more`;
  const stopped =
    stops > 0 ? `; the budget could not be kept ${stops === 1 ? 'once' : `${stops} times`}` : '';
  const opened = mode === 'all' ? '' : ` in ${countOf(overhead.windows, 'window')}`;
  return `Cost: about ${shareText(share)} of the target's CPU time (${limit}): ${countOf(hits, 'hit')}${opened}, ${each}, ${decoded}${stopped}.`;
}

function micros(seconds: number): string {
  return `${(1e6 * seconds).toFixed(2)} µs`;
}

function shareText(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

/** What is missing or uncertain, a sentence each; one reassuring sentence when nothing is. */
export function remarks({ observed, refusedFunctions, goroutines, spans, following }: Summary): Remark[] {
  const warnings: string[] = [];
  warnings.push(...lost(observed.unreadable, 'decoded', observed.unreadableByReason));
  warnings.push(...lost(observed.dropped, 'recorded', observed.droppedByReason));
  for (const { name, reason } of refusedFunctions) {
    warnings.push(`Not observed: lookups by ${printable(name)} (${printable(reason)}).`);
  }
  if (observed.inexact > 0) {
    const which = reasons(observed.inexactByReason);
    warnings.push(
      `The result or comparison count of ${countOf(observed.inexact, 'lookup')} is not certain (${which}).`,
    );
  }
  const noRoom = goroutines?.unattributed.no_room ?? 0;
  if (noRoom > 0) {
    warnings.push(
      `${countOf(noRoom, 'lookup')} could not be counted for a goroutine: too many goroutines made some at once.`,
    );
  }
  const outside = spans?.lookupsOutside.no_room ?? 0;
  if (outside > 0) {
    warnings.push(`${countOf(outside, 'lookup')} could not be counted for a span: too many spans at once.`);
  }
  const lostEvents = (following?.lost.unreadable ?? 0) + (following?.lost.no_room ?? 0);
  if (lostEvents > 0) {
    warnings.push(
      `${countOf(lostEvents, 'begin or end', 'begins or ends')} of spans could not be followed; lookups may lack a span.`,
    );
  }
  if (warnings.length === 0 && observed.lookups > 0) {
    return [{ text: 'Every lookup seen was decoded and recorded.', warning: false }];
  }
  return warnings.map((text) => ({ text, warning: true }));
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
    .map(([reason, count]) => `${printable(reason.replaceAll('_', ' '))} ${wholeNumber(count)}`)
    .join(', ');
}
