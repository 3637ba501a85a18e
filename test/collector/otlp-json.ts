import { z } from 'zod';

/*
 * OTLP as the collector's file exporter writes it: JSON, with 64-bit integers as text and empty fields left out.
 */

export const integer = z.union([z.string(), z.number()]).transform(Number);

/** As an object by name. */
export const attributes = z
  .array(
    z.object({
      key: z.string(),
      value: z.object({
        stringValue: z.string().optional(),
        intValue: integer.optional(),
        boolValue: z.boolean().optional(),
        doubleValue: z.number().optional(),
      }),
    }),
  )
  .default([])
  .transform((pairs) =>
    Object.fromEntries(
      pairs.map(({ key, value }) => [
        key,
        value.stringValue ?? value.intValue ?? value.boolValue ?? value.doubleValue,
      ]),
    ),
  );

export const time = z.string().transform(BigInt);

/** Identifiers in hexadecimal digits, empty when absent. */
const exemplars = z
  .array(
    z.object({
      timeUnixNano: time,
      asInt: integer.optional(),
      asDouble: z.number().optional(),
      traceId: z.string().default(''),
      spanId: z.string().default(''),
      filteredAttributes: attributes,
    }),
  )
  .default([]);

const numbers = z.array(
  z.object({
    attributes,
    startTimeUnixNano: time,
    timeUnixNano: time,
    asInt: integer.optional(),
    asDouble: z.number().optional(),
    exemplars,
  }),
);

const histograms = z.array(
  z.object({
    attributes,
    startTimeUnixNano: time,
    timeUnixNano: time,
    count: integer.default(0),
    sum: z.number().default(0),
    bucketCounts: z.array(integer),
    explicitBounds: z.array(z.number()),
    exemplars,
  }),
);

const buckets = z
  .object({ offset: z.number().default(0), bucketCounts: z.array(integer).default([]) })
  .default({ offset: 0, bucketCounts: [] });

const exponentialHistograms = z.array(
  z.object({
    attributes,
    startTimeUnixNano: time,
    timeUnixNano: time,
    count: integer.default(0),
    sum: z.number().default(0),
    scale: z.number().default(0),
    zeroCount: integer.default(0),
    positive: buckets,
    negative: buckets,
    exemplars,
  }),
);

/** 1 delta, 2 cumulative. */
const aggregationTemporality = z.number();

const metric = z.object({
  name: z.string(),
  unit: z.string(),
  description: z.string(),
  gauge: z.object({ dataPoints: numbers }).optional(),
  sum: z.object({ dataPoints: numbers, aggregationTemporality, isMonotonic: z.boolean() }).optional(),
  histogram: z.object({ dataPoints: histograms, aggregationTemporality }).optional(),
  exponentialHistogram: z.object({ dataPoints: exponentialHistograms, aggregationTemporality }).optional(),
});

const request = z.object({
  resourceMetrics: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeMetrics: z.array(
        z.object({
          scope: z.object({ name: z.string(), version: z.string() }),
          metrics: z.array(metric),
        }),
      ),
    }),
  ),
});

/** One exemplar of a point. */
export type CollectedExemplar = z.infer<typeof exemplars>[number];

/** One metric of an export. */
export type CollectedMetric = z.infer<typeof metric>;

/** One export request, as the collector understood it. */
export interface CollectedExport {
  resource: Record<string, unknown>;
  scopes: string[];
  metrics: CollectedMetric[];
}

/** Parses one line of the file exporter. */
export function parseExport(line: string): CollectedExport {
  const { resourceMetrics } = request.parse(JSON.parse(line));
  const scopes = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics);
  return {
    resource: resourceMetrics[0]?.resource.attributes ?? {},
    scopes: scopes.map(({ scope }) => scope.name),
    metrics: scopes.flatMap(({ metrics }) => metrics),
  };
}

/** The metric of that name in an export. */
export function metricNamed(
  collected: CollectedExport | undefined,
  name: string,
): CollectedMetric | undefined {
  return collected?.metrics.find((one) => one.name === name);
}

/** Sum over the points of a counter. */
export function counted(collected: CollectedExport | undefined, name: string): number {
  const points = metricNamed(collected, name)?.sum?.dataPoints ?? [];
  return points.reduce((sum, { asInt, asDouble }) => sum + (asInt ?? asDouble ?? 0), 0);
}
