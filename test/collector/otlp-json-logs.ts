import { z } from 'zod';
import { attributes, integer, time } from './otlp-json.ts';

const record = z.object({
  timeUnixNano: time,
  observedTimeUnixNano: time,
  severityNumber: z.number(),
  severityText: z.string(),
  eventName: z.string().default(''),
  body: z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  attributes,
  flags: integer.default(0),
  traceId: z.string().default(''),
  spanId: z.string().default(''),
});

const request = z.object({
  resourceLogs: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeLogs: z.array(
        z.object({ scope: z.object({ name: z.string(), version: z.string() }), logRecords: z.array(record) }),
      ),
    }),
  ),
});

/** One log record, as the collector understood it. */
export interface CollectedLog extends z.infer<typeof record> {
  resource: Record<string, unknown>;
  scope: string;
}

/** Parses one line of the file exporter. */
export function parseLogs(line: string): CollectedLog[] {
  return request
    .parse(JSON.parse(line))
    .resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ scope, logRecords }) =>
        logRecords.map((one) => ({ ...one, resource: resource.attributes, scope: scope.name })),
      ),
    );
}
