import {
  type ExponentialPointMessage,
  type HistogramPointMessage,
  type MetricMessage,
  type NumberPointMessage,
  plainAttributes,
} from './messages.ts';

type PointMessage = NumberPointMessage | HistogramPointMessage | ExponentialPointMessage;

/** The latest point of a series. */
interface Latest {
  readonly start: number;
  readonly time: number;
  readonly counts: readonly number[];
}

/**
 * What holds for every sum and histogram that anybody exports: nothing counts down, nothing ends before it has begun, nothing goes back
 * in time. A receiver believes it, and reads what breaks it as a restart.
 */
export class Invariants {
  /** What was broken, in words. */
  readonly broken: string[] = [];
  readonly #latest = new Map<string, Latest>();

  /** @param source whose metric it is: resource and scope */
  check(source: string, metric: MetricMessage): void {
    const { sum, histogram, exponentialHistogram } = metric;
    const data = (sum?.isMonotonic ? sum : undefined) ?? histogram ?? exponentialHistogram;
    if (data === undefined) {
      return;
    }
    const cumulative = data.aggregationTemporality === 'AGGREGATION_TEMPORALITY_CUMULATIVE';
    for (const point of data.dataPoints as readonly PointMessage[]) {
      const attributes = JSON.stringify(plainAttributes(point.attributes));
      const name = `${metric.name} ${attributes}`;
      this.#checkOne(name, point);
      if (cumulative) {
        this.#checkNext(name, `${source} ${name}`, point);
      } else {
        this.#checkDelta(name, `${source} ${name}`, point);
      }
    }
  }

  #checkOne(name: string, point: PointMessage): void {
    const { startTimeUnixNano: start, timeUnixNano: time, exemplars } = point;
    const counts = countsOf(point);
    if (counts.some((count) => count < 0)) {
      this.broken.push(`${name} counts down: ${counts}`);
    }
    if (start > time) {
      this.broken.push(`${name} ends ${start - time} ns before it begins`);
    }
    for (const { timeUnixNano: at } of exemplars) {
      if (at < start || at > time) {
        this.broken.push(`${name} has an exemplar of ${at}, outside of ${start} to ${time}`);
      }
    }
  }

  /** What two deltas of a series both cover counts twice. */
  #checkDelta(name: string, id: string, point: PointMessage): void {
    const { startTimeUnixNano: start, timeUnixNano: time } = point;
    const before = this.#latest.get(id);
    this.#latest.set(id, { start, time, counts: [] });
    if (before !== undefined && start < before.time) {
      this.broken.push(`${name} covers ${start} to ${before.time} twice`);
    }
  }

  #checkNext(name: string, id: string, point: PointMessage): void {
    const { startTimeUnixNano: start, timeUnixNano: time } = point;
    const counts = countsOf(point);
    const before = this.#latest.get(id);
    this.#latest.set(id, { start, time, counts });
    if (before === undefined || start > before.start) {
      return;
    }
    if (start < before.start || time < before.time) {
      this.broken.push(`${name} goes back in time: from ${before.time} to ${time}`);
    }
    if (
      counts.length === before.counts.length &&
      counts.some((count, i) => count < (before.counts[i] ?? 0))
    ) {
      this.broken.push(`${name} falls: from ${before.counts} to ${counts}`);
    }
  }
}

/** All that counts up in a point. Buckets of exponential points are left out: they change their meaning with the scale. */
function countsOf(point: PointMessage): number[] {
  if ('bucketCounts' in point) {
    return [point.count, point.sum ?? 0, ...point.bucketCounts];
  }
  return 'count' in point ? [point.count, point.sum ?? 0] : [point.asDouble ?? point.asInt ?? 0];
}
