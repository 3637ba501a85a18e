import { Invariants } from './invariants.ts';
import {
  type AttributeValue,
  type ExponentialPointMessage,
  type ExportRequestMessage,
  type HistogramPointMessage,
  type MetricMessage,
  type NumberPointMessage,
  plainAttributes,
  type TemporalityMessage,
} from './messages.ts';

export type TemporalityName = 'UNSPECIFIED' | 'DELTA' | 'CUMULATIVE';

/** One metric as received. */
export interface ReceivedMetric {
  name: string;
  unit: string;
  kind: 'histogram' | 'exponential histogram' | 'sum' | 'gauge';
  /** Gauges have none. */
  temporality: TemporalityName;
  /** Instrumentation scope. */
  scope: string;
  /** Series received, each counted once. */
  points: number;
  /**
   * Over all series: what histograms counted and what sums add up to, whichever temporality they came with. For gauges
   * the sum of the latest values.
   */
  totalCount: number;
  exemplars: number;
}

/** Everything received since the start. */
export interface ReceivedSummary {
  requests: number;
  /** Of the last request. */
  resource: Record<string, AttributeValue>;
  metrics: ReceivedMetric[];
}

type PointMessage = NumberPointMessage | HistogramPointMessage | ExponentialPointMessage;

interface Received {
  metric: Omit<ReceivedMetric, 'points' | 'totalCount'>;
  series: Map<string, SeriesValue>;
}

/** What a series counts up to. A new start of a cumulative one adds to what came before. */
interface SeriesValue {
  before: number;
  start: number;
  value: number;
}

/** Adds up what requests bring. */
export class ReceiverSummary {
  readonly #metrics = new Map<string, Received>();
  #resource: Record<string, AttributeValue> = {};
  #requests = 0;
  readonly #invariants = new Invariants();

  /** What was received that no sender may send, in words. */
  get broken(): readonly string[] {
    return this.#invariants.broken;
  }

  add(request: ExportRequestMessage): void {
    this.#requests++;
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      this.#resource = plainAttributes(resource?.attributes ?? []);
      for (const { scope, metrics } of scopeMetrics) {
        for (const metric of metrics) {
          this.#invariants.check(JSON.stringify([this.#resource, scope?.name]), metric);
          this.#addMetric(scope?.name ?? '', metric);
        }
      }
    }
  }

  summary(): ReceivedSummary {
    const metrics = [...this.#metrics.values()].map(({ metric, series }) => ({
      ...metric,
      points: series.size,
      totalCount: [...series.values()].reduce((sum, { before, value }) => sum + before + value, 0),
    }));
    return { requests: this.#requests, resource: this.#resource, metrics };
  }

  #addMetric(scope: string, message: MetricMessage): void {
    const { name, unit } = message;
    const { kind, temporality, dataPoints } = dataOf(message);
    const id = JSON.stringify([scope, name]);
    const received = this.#metrics.get(id) ?? {
      metric: { name, unit, kind, temporality, scope, exemplars: 0 },
      series: new Map<string, SeriesValue>(),
    };
    this.#metrics.set(id, received);
    for (const dataPoint of dataPoints) {
      const series = JSON.stringify(plainAttributes(dataPoint.attributes));
      const start = dataPoint.startTimeUnixNano;
      const last = received.series.get(series) ?? { before: 0, start, value: 0 };
      const isOver = temporality === 'DELTA' || (temporality === 'CUMULATIVE' && start > last.start);
      const before = last.before + (isOver ? last.value : 0);
      received.series.set(series, { before, start, value: valueOfPoint(dataPoint) });
      received.metric.exemplars += dataPoint.exemplars.length;
    }
  }
}

function dataOf(message: MetricMessage): {
  kind: ReceivedMetric['kind'];
  temporality: TemporalityName;
  dataPoints: PointMessage[];
} {
  const { histogram, exponentialHistogram, sum, gauge } = message;
  if (histogram) {
    return { kind: 'histogram', ...pointsOf(histogram) };
  }
  if (exponentialHistogram) {
    return { kind: 'exponential histogram', ...pointsOf(exponentialHistogram) };
  }
  if (sum) {
    return { kind: 'sum', ...pointsOf(sum) };
  }
  return { kind: 'gauge', temporality: 'UNSPECIFIED', dataPoints: gauge?.dataPoints ?? [] };
}

function pointsOf(data: { dataPoints: PointMessage[]; aggregationTemporality: TemporalityMessage }): {
  temporality: TemporalityName;
  dataPoints: PointMessage[];
} {
  const temporality = TEMPORALITIES[data.aggregationTemporality];
  return { temporality, dataPoints: data.dataPoints };
}

const TEMPORALITIES: Record<TemporalityMessage, TemporalityName> = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 'UNSPECIFIED',
  AGGREGATION_TEMPORALITY_DELTA: 'DELTA',
  AGGREGATION_TEMPORALITY_CUMULATIVE: 'CUMULATIVE',
};

function valueOfPoint(point: PointMessage): number {
  return 'count' in point ? point.count : (point.asDouble ?? point.asInt ?? 0);
}
