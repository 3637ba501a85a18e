import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { EXIT, messageOf, UserError } from '../errors.ts';
import { MOST_GOROUTINE_SERIES } from '../export/goroutine-series.ts';
import type { SpikeThreshold } from '../model/spike.ts';
import type { ReportLimits } from '../model/summary.ts';
import { DEFAULT_LABELS, TRACE_SOURCES } from '../observe/goroutinedata.ts';

/** Milliseconds of a duration such as `10s`, `500ms`, `2m`, `1h`. */
const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'is no duration such as 10s, 500ms or 2m')
  .transform((text) => Number.parseFloat(text) * (MILLIS[text.replace(/^[\d.]+/, '')] ?? 0))
  .refine((millis) => millis > 0, 'must be longer than nothing');

const MILLIS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A share such as `1%` or `0.5%`, as a fraction. */
const share = z
  .string()
  .regex(/^\d+(\.\d+)?%$/, 'is no share such as 1% or 0.5%')
  .transform((text) => Number.parseFloat(text) / 100)
  .refine((fraction) => fraction > 0 && fraction <= 1, 'must be more than 0% and at most 100%');

/** A count, which the command line gives as text. */
const wholeNumber = z
  .union([z.number(), z.string().regex(/^\d+$/).transform(Number)], 'must be a whole number')
  .refine((count) => Number.isSafeInteger(count) && count > 0, 'must be a whole number above 0');

/** How many, from none to a limit, which the command line gives as text. */
function upTo(most: number, least = 0) {
  const sentence = `must be a whole number from ${least} to ${most}`;
  return z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)], sentence)
    .refine((n) => Number.isInteger(n) && n >= least && n <= most, sentence);
}

/** Several values: a list in the file, separated by commas on the command line; `none` for an empty one. */
function list<T>(element: z.ZodType<T>) {
  const split = (value: unknown) =>
    typeof value === 'string' ? value.split(',').map((s) => s.trim()) : value;
  return z.preprocess((value) => (value === 'none' ? [] : split(value)), z.array(element));
}

const labelName = z.string().min(1, 'must not be empty').max(16, 'must be at most 16 bytes long');

/** Which lookups are spikes: `16`, `8x`, or none. */
const spikes = z.union([z.number(), z.string()]).transform((value, context): SpikeThreshold | 'off' => {
  const [, number, times] = /^([1-9]\d{0,5})(x?)$/.exec(String(value)) ?? [];
  if (value === 'off') return 'off';
  if (number !== undefined && !times) return { limit: Number(number) };
  if (number !== undefined && Number(number) > 1) return { factor: Number(number) };
  context.addIssue('must be off, a number such as 16, or a multiple such as 8x');
  return z.NEVER;
});

const httpUrl = z.url({ protocol: /^(https?|grpc)$/, error: 'is no http or https URL' });

/** What can be set in the configuration file and on the command line, under the same names. */
const settingsSchema = z.strictObject({
  duration: duration.optional(),
  mode: z.enum(['windows', 'all'], 'must be windows or all').default('windows'),
  budget: share.default(0.01),
  format: z.enum(['table', 'json'], 'must be table or json').default('table'),
  output: z.string().min(1).optional(),
  otlpEndpoint: httpUrl.optional(),
  otlpLogsEndpoint: httpUrl.optional(),
  spikes: spikes.optional(),
  verify: z.boolean('must be true or false').default(false),
  lookups: wholeNumber.default(1000),
  traceSources: list(z.enum(TRACE_SOURCES, `must be none, or of ${TRACE_SOURCES.join(', ')}`)).default([
    ...TRACE_SOURCES,
  ]),
  traceLabels: list(labelName).default([...DEFAULT_LABELS.traceLabels]),
  spanLabels: list(labelName).default([...DEFAULT_LABELS.spanLabels]),
  goroutines: upTo(1000).optional(),
  spans: upTo(1000).optional(),
  perGoroutine: upTo(MOST_GOROUTINE_SERIES, 1).optional(),
  attachMethod: z.enum(['uprobe_multi', 'perf_event'], 'must be uprobe_multi or perf_event').optional(),
  allowUnknownGo: z.boolean().default(false),
});

/** Settings after defaults, configuration file and command line have been put together, in that order. */
export type Settings = z.output<typeof settingsSchema>;

/** The options as the command line gives them: text, by name. */
export type RawOptions = Readonly<Record<string, unknown>> & { readonly config?: string };

/**
 * @param verifying the command verifies anyway
 * @throws UserError (usage) that names the option or the key at fault
 */
export function readSettings({ config, ...options }: RawOptions, verifying = false): Settings {
  const file = config === undefined ? {} : readFile(config);
  check(file, config ?? '');
  const settings = check({ ...file, ...options }, 'the command line');
  if (settings.goroutines === 0 && settings.perGoroutine !== undefined)
    throw new UserError('--per-goroutine needs goroutines: leave out --goroutines 0.', EXIT.usage);
  return vouched(verifying ? { ...settings, verify: true } : settings);
}

/** How many of the heaviest goroutines and spans a report tells of, when no option says. */
const REPORTED = { json: 10, table: 5 };

/** How many of the heaviest a report tells of; 0 goroutines: lookups are not counted by goroutine. */
export function reportLimits({ goroutines, perGoroutine, spans, format }: Settings): Required<ReportLimits> {
  return { goroutines: goroutines ?? perGoroutine ?? REPORTED[format], spans: spans ?? REPORTED[format] };
}

/** What is decoded with the layouts of another Go must be verified, or nothing vouches for it. */
function vouched(settings: Settings & { readonly verify?: boolean }): Settings {
  if (settings.allowUnknownGo && settings.verify !== true)
    throw new UserError('--allow-unknown-go needs --verify.', EXIT.usage);
  return settings;
}

function readFile(path: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(
      `The configuration ${path} cannot be read: ${messageOf(error).split('\n')[0]}`,
      EXIT.usage,
    );
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content))
    throw new UserError(`The configuration ${path} holds no list of settings.`, EXIT.usage);
  return content as Record<string, unknown>;
}

function check(values: Record<string, unknown>, where: string): Settings {
  const result = settingsSchema.safeParse(values);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = issue?.path.join('.') ?? '';
  const what =
    issue?.code === 'unrecognized_keys'
      ? `unknown setting ${issue.keys.join(', ')}`
      : `${name} ${issue?.message}`;
  throw new UserError(`In ${where}: ${what}.`, EXIT.usage);
}
