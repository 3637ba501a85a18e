import { counter } from './metric.ts';

/** The sidecar's account of spikes; only when it looks for them. */
export const SPIKE_METRICS = {
  seen: counter('mapscope.spikes', '{spike}', 'Lookups above the spike threshold.'),
  suppressed: counter(
    'mapscope.spikes.suppressed',
    '{spike}',
    'Spikes not sent as log records: above the rate limit of their call site, without memory for them in the kernel, or ' +
      'not accepted by the receiver.',
    ['reason'],
  ),
};

/** The sidecar's account of following spans; only when it does. */
export const FOLLOWING_METRICS = {
  events: counter(
    'mapscope.spans.events',
    '{event}',
    'Hits of the probes that follow spans: starts and ends of spans and requests, and goroutines started.',
    ['event'],
  ),
  lost: counter(
    'mapscope.spans.lost',
    '{event}',
    'Hits of these probes that could not be followed: memory of the target was unreadable, the kernel had no room, or ' +
      'the start of the span that ended was not seen.',
    ['reason'],
  ),
};
