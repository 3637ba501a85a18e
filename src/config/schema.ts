import { z } from 'zod';
import { LOG_FORMATS, LOG_LEVELS } from '../base/log.ts';
import { DEFAULT_CALL_SITES, MOST_CALL_SITES } from '../model/full-tables.ts';
import { MOST_GOROUTINE_SERIES } from '../model/heavy/goroutines.ts';
import type { SpikeThreshold } from '../model/spike.ts';
import { DEFAULT_LABELS, TRACE_SOURCES } from '../model/trace-sources.ts';
import { endpointProblem } from '../otel/settings/endpoint-problem.ts';
import { parseAddress } from '../page/server/address.ts';
import { FORMATS, GROUPINGS, ORDERS } from '../report/choices.ts';
import { ATTACH_METHODS, MODES, oneOf } from './choices.ts';

/** A duration such as `10s`, `500ms`, `2m`, `1h`, `7d`, in milliseconds; a bare number is seconds, as for sleep(1). */
const DURATION = 'must be a duration such as 500ms, 10s, 2m, 600h or 7d';
const duration = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)?$/, DURATION)], DURATION)
  .transform((value) => Number.parseFloat(String(value)) * (MILLIS[unitOf(String(value))] ?? 0))
  .refine((millis) => millis > 0 && Number.isFinite(millis), `${DURATION}, longer than 0`);

function unitOf(duration: string): string {
  return duration.replace(/^[^a-z]+/, '') || 's';
}

const MILLIS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A share such as `1%` or `0.01`, as a fraction. A bare 1 could mean either, and is refused. */
const SHARE = 'must be a share such as 1% or 0.01';
const share = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?%?$/, SHARE)], SHARE)
  .transform((value) => {
    const number = Number.parseFloat(String(value));
    return String(value).endsWith('%')
      ? { fraction: number / 100, most: 1 }
      : { fraction: number, most: 0.99 };
  })
  .refine(({ fraction, most }) => fraction > 0 && fraction <= most, `${SHARE}, above 0 and at most 100%`)
  .transform(({ fraction }) => fraction);

/** A count, which the command line gives as text. */
const COUNT = 'must be a whole number above 0';
const WHOLE_NUMBER = z
  .union([z.int(COUNT), z.string().regex(/^\d+$/, COUNT).transform(Number)], COUNT)
  .refine((count) => Number.isSafeInteger(count) && count > 0, COUNT);

/** How many, from none to a limit, which the command line gives as text. */
function upTo(most: number, least = 0) {
  const sentence = `must be a whole number from ${least} to ${most}`;
  return z
    .union([z.int(sentence), z.string().regex(/^\d+$/, sentence).transform(Number)], sentence)
    .refine((n) => Number.isInteger(n) && n >= least && n <= most, sentence);
}

/** Several values: a list in the file, separated by commas on the command line; `none` for an empty one. */
function list<T>(element: z.ZodType<T>) {
  const split = (value: unknown) =>
    typeof value === 'string' ? value.split(',').map((s) => s.trim()) : value;
  return z.preprocess((value) => (value === 'none' ? [] : split(value)), z.array(element));
}

const LABEL_NAME = z.string().min(1, 'must not be empty').max(16, 'must be at most 16 bytes long');

/** Which lookups are spikes: `16`, `8x`, or none. */
const SPIKES = z.union([z.number(), z.string()]).transform((value, context): SpikeThreshold | 'off' => {
  const [, number, times] = /^([1-9]\d{0,5})(x?)$/.exec(String(value)) ?? [];
  if (value === 'off') {
    return 'off';
  }
  if (number !== undefined && !times) {
    return { limit: Number(number) };
  }
  if (number !== undefined && Number(number) > 1) {
    return { factor: Number(number) };
  }
  context.addIssue('must be off, a number such as 16, or a multiple such as 8x');
  return z.NEVER;
});

const OTLP_ENDPOINT = z.string('must be a URL').superRefine((endpoint, context) => {
  const problem = endpointProblem(endpoint);
  if (problem !== undefined) {
    context.addIssue(problem);
  }
});

/** Where the page is served: an address, or true for the usual one. */
const UI = z
  .union([z.boolean(), z.string()], 'must be HOST:PORT')
  .refine(
    (value) => typeof value === 'boolean' || parseAddress(value) !== undefined,
    'must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, or a port',
  );

/** Where traces are shown. */
const TRACE_URL = z
  .string('must be a URL')
  .refine(
    (url) => /^https?:\/\/./i.test(url) && url.includes('{trace_id}'),
    'must be an http:// or https:// URL that contains {trace_id}',
  );

/** One of some words. */
function choice<const T extends readonly string[]>(values: T) {
  return z.enum(values, `must be ${oneOf(values)}`);
}

/** What can be set in the configuration file and on the command line, under the same names. */
export const settingsSchema = z.strictObject({
  duration: duration.optional(),
  mode: choice(MODES).default('windows'),
  budget: share.default(0.01),
  nodeBudget: share.optional(),
  format: choice(FORMATS).default('table'),
  top: upTo(100_000, 1).default(20),
  by: choice(GROUPINGS).default('site'),
  sort: choice(ORDERS).default('lookups'),
  filter: z.string('must be a text').min(1, 'must not be empty').optional(),
  width: upTo(10_000, 40).optional(),
  output: z.string('must be a file name').min(1, 'must be a file name').optional(),
  ui: UI.optional(),
  traceUrl: TRACE_URL.optional(),
  otlpEndpoint: OTLP_ENDPOINT.optional(),
  otlpLogsEndpoint: OTLP_ENDPOINT.optional(),
  spikes: SPIKES.optional(),
  verify: z.boolean('must be true or false').default(false),
  lookups: WHOLE_NUMBER.default(1000),
  traceSources: list(z.enum(TRACE_SOURCES, `must be none, or any of ${TRACE_SOURCES.join(', ')}`)).default([
    ...TRACE_SOURCES,
  ]),
  traceLabels: list(LABEL_NAME).default([...DEFAULT_LABELS.traceLabels]),
  spanLabels: list(LABEL_NAME).default([...DEFAULT_LABELS.spanLabels]),
  callSites: upTo(MOST_CALL_SITES, 1).default(DEFAULT_CALL_SITES),
  goroutines: upTo(1000).optional(),
  spans: upTo(1000).optional(),
  perGoroutine: upTo(MOST_GOROUTINE_SERIES, 1).optional(),
  attachMethod: choice(ATTACH_METHODS).optional(),
  allowUnknownGo: z.boolean('must be true or false').default(false),
  logFormat: choice(LOG_FORMATS).default('text'),
  logLevel: choice(LOG_LEVELS).default('info'),
});

/** Settings: defaults, overridden by the configuration file, overridden by the command line. */
export type Settings = z.output<typeof settingsSchema>;
