import { counter, gauge } from './metric.ts';

/** The sidecar's account of its own work: what became of hits. */
export const HIT_METRICS = {
  hits: counter('mapscope.hits', '{hit}', 'All hits of probe sites, whatever their outcome.'),
  observed: counter('mapscope.lookups.observed', '{lookup}', 'Hits that became a recorded lookup.'),
  deferred: counter(
    'mapscope.hits.deferred',
    '{hit}',
    'Hits whose lookup goes on to a later probe site, which records it.',
  ),
  resumed: counter(
    'mapscope.hits.resumed',
    '{hit}',
    'Hits at a later probe site of lookups that an earlier one has deferred; as many, but for the edges of windows.',
  ),
  empty: counter(
    'mapscope.hits.empty',
    '{hit}',
    'Hits in maps that were emptied between the check of the function and the probe site: no lookups.',
  ),
  leftOut: counter(
    'mapscope.lookups.left_out',
    '{lookup}',
    'Lookups of functions that verifying has found wrong; they are in no other number.',
  ),
  unreadable: counter(
    'mapscope.lookups.unreadable',
    '{lookup}',
    'Lookups that could not be decoded; the reason says what could not be read.',
    ['reason'],
  ),
  dropped: counter('mapscope.lookups.dropped', '{lookup}', 'Lookups decoded but not recorded.', ['reason']),
  inexact: counter(
    'mapscope.lookups.inexact',
    '{lookup}',
    'Recorded lookups whose result or comparison count is not certain.',
    ['reason'],
  ),
  unattributed: counter(
    'mapscope.lookups.unattributed',
    '{lookup}',
    'Recorded lookups not counted for any goroutine: `no_room` for another one, or `no_goroutine` on the thread.',
    ['reason'],
  ),
  windows: counter('mapscope.windows', '{window}', 'Windows opened.'),
  attachedTime: counter(
    'mapscope.attached.time',
    's',
    'Time during which lookups were decoded: all probe sites were attached, and a window was open.',
    [],
    { integer: false },
  ),
  notDecoded: counter(
    'mapscope.hits.not_decoded',
    '{hit}',
    'Hits while no window was open, during attach and detach. Each cost a trap and was not decoded.',
  ),
  refusedFunctions: gauge(
    'mapscope.functions.refused',
    '{function}',
    'Lookup functions of the target that are not observed because mapscope could not prove their code safe to probe.',
  ),
};

/** What observing costs the target, and how sure estimates are. */
export const OVERHEAD_METRICS = {
  estimateError: gauge(
    'mapscope.estimate.error',
    '1',
    'Standard error of the sum of all `gomap.lookups.estimated`, as a share of it. Absent while there were too few windows to know.',
    [],
    { integer: false },
  ),
  underestimate: gauge(
    'mapscope.estimate.shortfall',
    '1',
    'By how much that sum may be too low besides, as a share of the truth: all of it in a program that does nothing but lookups, ' +
      'which windows slow down, nothing in one that waits for requests. 1 when there is no telling.',
    [],
    { integer: false },
  ),
  overheadTime: counter(
    'mapscope.overhead.time',
    's',
    'CPU time that observation has cost the target, estimated: hits times what a hit costs, and a fifth for what it does to caches.',
    [],
    { integer: false },
  ),
  targetCpuTime: counter(
    'mapscope.overhead.target.time',
    's',
    'CPU time that the target has used since observation began, that cost included. Absent when it is not known.',
    [],
    { integer: false },
  ),
  overheadShare: gauge(
    'mapscope.overhead.share',
    '1',
    "Share of the target's CPU time that observation has cost, estimated, since it began.",
    [],
    { integer: false },
  ),
  overheadBudget: gauge(
    'mapscope.overhead.budget',
    '1',
    'The share that observation may cost; absent in mode `all`, which has no limit.',
    [],
    { integer: false },
  ),
  trapCost: gauge(
    'mapscope.overhead.hit.time',
    's',
    'What each hit of a probe site costs, as measured, before anything is decoded.',
    [],
    {
      integer: false,
    },
  ),
  decodeCost: gauge('mapscope.overhead.decode.time', 's', 'What decoding a hit costs on top.', [], {
    integer: false,
  }),
  overheadMeasured: gauge(
    'mapscope.overhead.measured',
    '1',
    '1 when these two were measured on this machine and this target, 0 while they are assumed.',
  ),
  otherHits: counter(
    'mapscope.overhead.other.hits',
    '{hit}',
    'Hits of probes outside of lookup functions, whose cost counts towards the same budget.',
  ),
  fullWindows: counter(
    'mapscope.overhead.windows.full',
    '{window}',
    'Windows that ended early, at their hit limit.',
  ),
  overheadStops: counter(
    'mapscope.overhead.stops',
    '{stop}',
    'How often observation paused because it could not keep to the budget.',
  ),
};

/** What became of exports, and what had no room in them. */
export const EXPORT_METRICS = {
  overflowedSeries: gauge(
    'mapscope.series.overflowed',
    '{series}',
    'Call sites with a map type, and goroutines, that are not kept apart: they share an overflow series.',
  ),
  givenUpSeries: counter(
    'mapscope.series.given_up',
    '{series}',
    'Series that had ended and were given up before the receiver had their last counts: more than 1,000 waited for it.',
  ),
  heldSeries: gauge(
    'mapscope.series.held',
    '{series}',
    'Series whose counts would have fallen, because `--verify` left a lookup function out: they stay as they are until passed.',
  ),
  failedExports: counter(
    'mapscope.exports.failed',
    '{export}',
    'Exports that failed after all retries, or had nothing to send because it could not be read.',
  ),
  rejectedPoints: counter(
    'mapscope.points.rejected',
    '{point}',
    'Data points that the receiver did not take of requests that it accepted.',
  ),
  uncertainPoints: counter(
    'mapscope.points.uncertain',
    '{point}',
    'Data points that were sent and never answered, with deltas among them: nobody knows whether they arrived, and they are not sent again.',
  ),
  droppedExemplars: counter(
    'mapscope.exemplars.dropped',
    '{exemplar}',
    'Exemplar candidates dropped: there was no room for them, or their lookups are in no series.',
    ['reason'],
  ),
  fullTables: counter(
    'mapscope.table.full',
    '{item}',
    'What a full table could not keep: lookups, exemplars or events, as docs/definitions.md says for each table.',
    ['table'],
  ),
};
