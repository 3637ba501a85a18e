import { emptyResource } from '@opentelemetry/resources';
import type {
  CollectionResult,
  MetricCollectOptions,
  MetricData,
  MetricProducer,
  ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ExemplarCandidate } from '../model/candidate.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import type { ExemplarFilter } from './exemplar.ts';
import { ExemplarReservoir } from './exemplars.ts';
import { GoroutineSeriesChoice, type SeriesByGoroutine } from './goroutine-series.ts';
import {
  goroutineMeasurements,
  type Measurement,
  mapMeasurements,
  selfMeasurements,
} from './measurements.ts';
import { appliesTo, MAP_METRICS, SCOPES } from './metrics.ts';
import { SeriesGrouping } from './series.ts';
import { type HistogramAggregation, type TemporalitySelector, TemporalityWriter } from './temporality.ts';
import { VERSION } from './version.ts';

/** Where the producer gets the present state of the observation; undefined while there is none yet. */
export type SnapshotSource = () => Snapshot | undefined | Promise<Snapshot | undefined>;

export interface ProducerOptions {
  source: SnapshotSource;
  mapImplementation: Target['mapImplementation'];
  temporality: TemporalitySelector;
  /** Series per metric, with the overflow series (2,000). At least 3. */
  seriesLimit?: number;
  /** How long to wait for a snapshot, at most (5,000 ms). */
  deadlineMillis?: number;
  /** Exports given up so far. */
  failedExports?: () => number;
  /** Gives the candidates for exemplars since the last call. Called once after each read of a snapshot. */
  candidates?: () => readonly ExemplarCandidate[];
  exemplarFilter?: ExemplarFilter;
  /** How many goroutines to give series of their own at a time (0). */
  perGoroutine?: number;
  /** Form of the histograms of counts (explicit). */
  histogramAggregation?: HistogramAggregation;
}

/** Overflow series: one for hits, one for misses. */
const OVERFLOW_SERIES = 2;

/** State that lives as long as one count does, and begins anew with it. */
interface Count {
  startTime: bigint;
  /** Exports that had failed before it began. */
  failedBefore: number;
  byResult: SeriesGrouping;
  bySite: SeriesGrouping;
  goroutines: GoroutineSeriesChoice;
  writer: TemporalityWriter;
}

/**
 * Brings what the kernel has aggregated into OpenTelemetry: turns a snapshot into metric data each time the reader
 * collects. One producer belongs to one reader and exporter, because it remembers what was delivered.
 */
export class SnapshotMetricProducer implements MetricProducer {
  readonly #options: Required<ProducerOptions>;
  readonly #exemplars: ExemplarReservoir;
  #count: Count | undefined;
  #reading: Promise<Snapshot | undefined> | undefined;
  #lastProblem: unknown;

  constructor(options: ProducerOptions) {
    this.#options = {
      seriesLimit: 2000,
      deadlineMillis: 5000,
      failedExports: () => 0,
      candidates: () => [],
      exemplarFilter: 'trace_based',
      perGoroutine: 0,
      histogramAggregation: 'explicit',
      ...options,
    };
    this.#exemplars = new ExemplarReservoir(this.#options.exemplarFilter);
    if (this.#options.seriesLimit <= OVERFLOW_SERIES) {
      throw new RangeError(`a series limit must be greater than ${OVERFLOW_SERIES}`);
    }
  }

  /** Why the last collection gave nothing; undefined when it went well. */
  get lastProblem(): unknown {
    return this.#lastProblem;
  }

  /**
   * Never rejects and always ends in time: a rejected collection would cost the reader the whole cycle, an endless one
   * all later cycles.
   */
  async collect(options: MetricCollectOptions = {}): Promise<CollectionResult> {
    const deadline = Math.min(
      this.#options.deadlineMillis,
      options.timeoutMillis ?? Number.POSITIVE_INFINITY,
    );
    try {
      const snapshot = await withDeadline(this.#read(), deadline);
      this.#lastProblem = undefined;
      return result(snapshot === undefined ? [] : this.#scopes(snapshot), []);
    } catch (error) {
      this.#lastProblem = error;
      return result([], [error]);
    }
  }

  /** Tells the producer what the receiver has accepted; delta exports continue from there. */
  acknowledge(delivered: ResourceMetrics): void {
    this.#count?.writer.acknowledge(delivered);
  }

  /** One read at a time: a source that hangs must not be asked again each cycle. */
  #read(): Promise<Snapshot | undefined> {
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * Asynchronous, so that a source that throws at once is a rejection like any other. Candidates come last, or a delta
   * would miss those of its end: the next one has no place for them.
   */
  async #ask(): Promise<Snapshot | undefined> {
    const snapshot = await this.#options.source();
    this.#exemplars.offer(this.#options.candidates());
    return snapshot;
  }

  #scopes(snapshot: Snapshot): ResourceMetrics['scopeMetrics'] {
    const count = this.#countOf(snapshot);
    const byResult = count.byResult.group(snapshot.callSites);
    const bySite = count.bySite.group(snapshot.callSites);
    this.#exemplars.place(snapshot, (candidate) => count.byResult.seriesOf(candidate));
    const maps = mapMeasurements({ byResult, bySite }, this.#exemplars).filter(({ contract }) =>
      appliesTo(contract, this.#options.mapImplementation),
    );
    const goroutines = this.#goroutineSeries(count, snapshot);
    if (goroutines !== undefined) maps.push(...goroutineMeasurements(goroutines));
    const self = selfMeasurements(snapshot, {
      overflowedSeries: count.byResult.overflowed + (goroutines?.refused ?? 0),
      failedExports: this.#options.failedExports() - count.failedBefore,
      droppedExemplars: this.#exemplars.dropped,
    });
    const interval = { start: snapshot.startTime, end: snapshot.time };
    const write = (measurements: readonly Measurement[]): MetricData[] =>
      measurements.flatMap((measurement) => count.writer.write(measurement, interval) ?? []);
    return [scope(SCOPES.maps, write(maps)), scope(SCOPES.self, write(self))].filter(
      ({ metrics }) => metrics.length > 0,
    );
  }

  #goroutineSeries(count: Count, { goroutines, time }: Snapshot): SeriesByGoroutine | undefined {
    if (this.#options.perGoroutine === 0 || goroutines === undefined) return undefined;
    return count.goroutines.update(goroutines, time);
  }

  #countOf(snapshot: Snapshot): Count {
    if (this.#count?.startTime !== snapshot.startTime) {
      this.#exemplars.restart();
      const limit = this.#options.seriesLimit - OVERFLOW_SERIES;
      this.#count = {
        startTime: snapshot.startTime,
        failedBefore: this.#options.failedExports(),
        byResult: new SeriesGrouping(MAP_METRICS.lookups.attributes, limit),
        bySite: new SeriesGrouping(MAP_METRICS.entries.attributes, limit),
        goroutines: new GoroutineSeriesChoice(this.#options.perGoroutine, snapshot.startTime),
        writer: new TemporalityWriter(this.#options.temporality, this.#options.histogramAggregation),
      };
    }
    return this.#count;
  }
}

function scope(name: string, metrics: MetricData[]): ResourceMetrics['scopeMetrics'][number] {
  return { scope: { name, version: VERSION }, metrics };
}

/** The SDK replaces the resource by the meter provider's. */
function result(scopeMetrics: ResourceMetrics['scopeMetrics'], errors: unknown[]): CollectionResult {
  return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors };
}

async function withDeadline<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the observation's state could not be read within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
