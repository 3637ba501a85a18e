import { callWithTimeout, TimeoutError } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  type CollectionResult,
  DataPointType,
  type GaugeMetricData,
  type MetricCollectOptions,
  type MetricData,
  type MetricProducer,
  type ResourceMetrics,
  type SumMetricData,
} from '@opentelemetry/sdk-metrics';
import { VERSION } from '../../base/version.ts';
import type { ExemplarCandidate } from '../../model/candidate.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Target } from '../../model/target.ts';
import { seriesKey } from '../contract/attributes.ts';
import { appliesTo, MAP_METRICS, SCOPES } from '../contract/metrics.ts';
import { SCHEMA_URL } from '../contract/semconv.ts';
import type { ExemplarFilter } from '../exemplars/exemplar.ts';
import { ExemplarReservoir } from '../exemplars/reservoir.ts';
import { GoroutineSeriesChoice, type SeriesByGoroutine } from './goroutine-series.ts';
import {
  goroutineMeasurements,
  mapMeasurements,
  type NumberMeasurement,
  selfMeasurements,
} from './measurements.ts';
import type { Interval } from './points.ts';
import { groupSeries, LookupSeries } from './series.ts';
import { type HistogramAggregation, type TemporalitySelector, TemporalityWriter } from './temporality.ts';

/** Gives the current state of the observation, or undefined while there is none. */
export type SnapshotSource = () => Snapshot | undefined | Promise<Snapshot | undefined>;

export interface ProducerOptions {
  source: SnapshotSource;
  mapImplementation: Target['mapImplementation'];
  temporality: TemporalitySelector;
  /** Longest wait for a snapshot (5,000 ms). */
  deadlineMillis?: number;
  /** Exports that have failed so far. */
  failedExports?: () => number;
  /** Data points so far that a receiver did not take. */
  rejectedPoints?: () => number;
  /** Data points so far of which nobody knows whether they arrived. */
  uncertainPoints?: () => number;
  /** Gives the candidates for exemplars since the last call. Called once after each read of a snapshot. */
  candidates?: () => readonly ExemplarCandidate[];
  exemplarFilter?: ExemplarFilter;
  /** How many goroutines to give series of their own at a time (0). */
  perGoroutine?: number;
  /** Form of the histograms of counts (explicit). */
  histogramAggregation?: HistogramAggregation;
}

/** State of one count; the next count gets a new one. */
interface Count {
  startTime: bigint;
  /** Exports that had failed before the count started. */
  failedBefore: number;
  /** Data points that had not been taken before it began. */
  rejectedBefore: number;
  /** Data points of which it was not known before it began. */
  uncertainBefore: number;
  byResult: LookupSeries;
  goroutines: GoroutineSeriesChoice;
  writer: TemporalityWriter;
}

/** What was read of the observation, as metrics. */
interface Reading {
  interval: Interval;
  maps: MetricData[];
  self: readonly NumberMeasurement[];
}

/**
 * Turns snapshots of the observation into metrics. It produces what the kernel has aggregated, and gives instruments the
 * values of mapscope's own telemetry. In each collection the reader calls `read` first. One producer belongs to one reader
 * and exporter, because it remembers what was delivered.
 */
export class SnapshotMetricProducer implements MetricProducer {
  readonly #options: Required<ProducerOptions>;
  readonly #exemplars: ExemplarReservoir;
  #count: Count | undefined;
  #asking: Promise<Snapshot | undefined> | undefined;
  #reading: Reading | undefined;
  #lastProblem: unknown;

  constructor(options: ProducerOptions) {
    this.#options = {
      deadlineMillis: 5000,
      failedExports: () => 0,
      rejectedPoints: () => 0,
      uncertainPoints: () => 0,
      candidates: () => [],
      exemplarFilter: 'trace_based',
      perGoroutine: 0,
      histogramAggregation: 'explicit',
      ...options,
    };
    this.#exemplars = new ExemplarReservoir(this.#options.exemplarFilter);
  }

  /** Why the last read failed; undefined when it went well. */
  get lastProblem(): unknown {
    return this.#lastProblem;
  }

  /**
   * Reads the observation, for everything that is collected until the next read. It never rejects and always ends in time:
   * after a collection that does not end, the reader would never start another.
   *
   * @returns why it failed
   */
  async read({ timeoutMillis = Number.POSITIVE_INFINITY }: MetricCollectOptions = {}): Promise<unknown> {
    try {
      const snapshot = await withDeadline(this.#ask(), Math.min(this.#options.deadlineMillis, timeoutMillis));
      this.#reading = snapshot && this.#metrics(snapshot);
      this.#lastProblem = undefined;
    } catch (error) {
      this.#lastProblem = error;
    }
    return this.#lastProblem;
  }

  /** What the kernel has aggregated. */
  async collect(): Promise<CollectionResult> {
    const metrics = this.#reading?.maps ?? [];
    const scopeMetrics =
      metrics.length === 0
        ? []
        : [{ scope: { name: SCOPES.maps, version: VERSION, schemaUrl: SCHEMA_URL }, metrics }];
    // The SDK replaces the resource by the meter provider's.
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
  }

  /** What instruments observe in this collection. */
  get self(): readonly NumberMeasurement[] {
    return this.#reading?.self ?? [];
  }

  /** Gives what instruments observed the form in which it is sent. Call it last in a collection. */
  deliverable({ resource, scopeMetrics }: ResourceMetrics): ResourceMetrics {
    const reading = this.#reading;
    // Otherwise a thousand histograms would stay in memory until the next collection.
    this.#reading = undefined;
    return {
      resource,
      scopeMetrics: scopeMetrics
        .map((one) =>
          one.scope.name === SCOPES.self
            ? { ...one, metrics: one.metrics.flatMap((metric) => this.#observed(metric, reading) ?? []) }
            : one,
        )
        .filter(({ metrics }) => metrics.length > 0),
    };
  }

  /** Notes what the receiver has accepted, or may have: delta exports continue from there. */
  acknowledge(delivered: ResourceMetrics): void {
    this.#count?.writer.acknowledge(delivered);
  }

  /** Asks once at a time: a source that hangs must not be asked again in each cycle. */
  #ask(): Promise<Snapshot | undefined> {
    this.#asking ??= this.#askSource().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /**
   * It is asynchronous, so that a source that throws at once is a rejection like any other. It takes candidates last. If it
   * took them first, a delta would miss those from its end, and the next delta has no place for them.
   */
  async #askSource(): Promise<Snapshot | undefined> {
    const snapshot = await this.#options.source();
    this.#exemplars.offer(this.#options.candidates());
    return snapshot;
  }

  #metrics(snapshot: Snapshot): Reading {
    const count = this.#countOf(snapshot);
    const byResult = count.byResult.update(snapshot);
    const bySite = groupSeries(snapshot, MAP_METRICS.entries.attributes);
    this.#exemplars.place(snapshot, (candidate) => count.byResult.seriesOf(candidate));
    const maps = mapMeasurements({ byResult, bySite }, this.#exemplars).filter(({ contract }) =>
      appliesTo(contract, this.#options.mapImplementation),
    );
    const goroutines = this.#goroutineSeries(count, snapshot);
    if (goroutines !== undefined) {
      maps.push(...goroutineMeasurements(goroutines));
    }
    const self = selfMeasurements(snapshot, {
      overflowedSeries: snapshot.otherSites + (goroutines?.refused ?? 0),
      givenUpSeries: count.byResult.givenUp,
      heldSeries: count.writer.held,
      failedExports: this.#options.failedExports() - count.failedBefore,
      rejectedPoints: this.#options.rejectedPoints() - count.rejectedBefore,
      uncertainPoints: this.#options.uncertainPoints() - count.uncertainBefore,
      droppedExemplars: this.#exemplars.dropped,
    });
    const interval = { start: snapshot.startTime, end: snapshot.time };
    return {
      interval,
      maps: maps.flatMap((measurement) => count.writer.write(measurement, interval) ?? []),
      self,
    };
  }

  #observed(metric: MetricData, reading: Reading | undefined): MetricData | undefined {
    const measured = reading?.self.find(({ contract }) => contract.name === metric.descriptor.name);
    if (reading === undefined || measured === undefined || !isNumeric(metric)) {
      return undefined;
    }
    // The SDK keeps the series of earlier counts.
    const keys = new Set(measured.numbers.map(({ key }) => key));
    const dataPoints = metric.dataPoints.filter(({ attributes }) => keys.has(seriesKey(attributes)));
    return this.#count?.writer.writeCollected({ ...metric, dataPoints }, reading.interval);
  }

  #goroutineSeries(count: Count, { goroutines, time }: Snapshot): SeriesByGoroutine | undefined {
    if (this.#options.perGoroutine === 0 || goroutines === undefined) {
      return undefined;
    }
    return count.goroutines.update(goroutines, time);
  }

  #countOf(snapshot: Snapshot): Count {
    if (this.#count?.startTime !== snapshot.startTime) {
      this.#exemplars.restart();
      const writer = new TemporalityWriter(this.#options.temporality, this.#options.histogramAggregation);
      const { attributes } = MAP_METRICS.lookups;
      const metrics = Object.values(MAP_METRICS).filter(
        (contract) =>
          contract.attributes === attributes && appliesTo(contract, this.#options.mapImplementation),
      );
      this.#count = {
        startTime: snapshot.startTime,
        failedBefore: this.#options.failedExports(),
        rejectedBefore: this.#options.rejectedPoints(),
        uncertainBefore: this.#options.uncertainPoints(),
        byResult: new LookupSeries(attributes, metrics.length, (key) => {
          writer.forget(key);
          this.#exemplars.forget(key);
        }),
        goroutines: new GoroutineSeriesChoice(this.#options.perGoroutine, snapshot.startTime),
        writer,
      };
    }
    return this.#count;
  }
}

function isNumeric(metric: MetricData): metric is SumMetricData | GaugeMetricData {
  return metric.dataPointType === DataPointType.SUM || metric.dataPointType === DataPointType.GAUGE;
}

async function withDeadline<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  try {
    return await callWithTimeout(work, milliseconds);
  } catch (error) {
    if (error instanceof TimeoutError) {
      throw new Error(`the observation's state could not be read within ${milliseconds} ms`, {
        cause: error,
      });
    }
    throw error;
  }
}
