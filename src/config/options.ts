import { LOG_FORMATS, LOG_LEVELS } from '../base/log.ts';
import { TRACE_SOURCES } from '../model/trace-sources.ts';
import { FORMATS, GROUPINGS, ORDERS } from '../report/choices.ts';
import { ATTACH_METHODS, MODES, oneOf } from './choices.ts';
import type { Settings } from './schema.ts';

/** Where the help shows an option. */
export type OptionGroup =
  | 'Target'
  | 'Observation'
  | 'Report'
  | 'Page'
  | 'OpenTelemetry'
  | 'Traces'
  | 'Verification'
  | 'Log';

/** How a setting is given on the command line, and what it does, in words. */
export interface OptionText {
  readonly group: OptionGroup;
  /** What stands for the value, undefined where there is none: a `file` is completed as one, of a `list` any number. */
  readonly argument?: string;
  /** All values there are, if they can be listed. */
  readonly values?: readonly string[];
  /** The value may be left out. */
  readonly isOptional?: true;
  /** What it does; what its default is, in brackets at the end. */
  readonly help: string;
  /** A value of it. */
  readonly example: string;
}

/**
 * Every setting, in the order of the help. The command line, the help, the reference and the JSON Schema of the configuration
 * are made of it. On the command line the name of `otlpEndpoint` is `--otlp-endpoint`.
 */
export const OPTIONS: { readonly [Name in keyof Settings]-?: OptionText } = {
  duration: {
    group: 'Observation',
    argument: 'time',
    help: 'how long to observe, such as 10s, 2m or 1d (default: until the target ends or you press Ctrl-C)',
    example: '10m',
  },
  mode: {
    group: 'Observation',
    argument: 'mode',
    values: MODES,
    help: 'windows: sample in short windows, within the budget; all: every lookup (default: windows)',
    example: 'windows',
  },
  budget: {
    group: 'Observation',
    argument: 'share',
    help: "share of the target's CPU time that observation may cost (default: 1%)",
    example: '0.5%',
  },
  nodeBudget: {
    group: 'Observation',
    argument: 'share',
    help: "share of the machine's CPU time that observing all targets together may cost; each gets a small floor first, those that came first before others (default: as --budget)",
    example: '2%',
  },
  callSites: {
    group: 'Observation',
    argument: 'n',
    help: 'call sites, each with a map type, to keep apart: the n busiest of a target, and together of all targets twice as many; all others are one, (others) (default: 1000)',
    example: '500',
  },
  attachMethod: {
    group: 'Observation',
    argument: 'method',
    values: ATTACH_METHODS,
    help: `how to attach probes: ${oneOf(ATTACH_METHODS)} (default: the best that the kernel supports)`,
    example: 'perf_event',
  },
  format: {
    group: 'Report',
    argument: 'format',
    values: FORMATS,
    help: 'format of the report: table, json, jsonl with a line for each target, or html, a page with all of its history in one file (default: table; html for an --output that ends with .html)',
    example: 'json',
  },
  top: {
    group: 'Report',
    argument: 'n',
    help: 'rows of the table (default: 20)',
    example: '50',
  },
  by: {
    group: 'Report',
    argument: 'what',
    values: GROUPINGS,
    help: `what a row of the table stands for: ${oneOf(GROUPINGS)} (default: site)`,
    example: 'type',
  },
  sort: {
    group: 'Report',
    argument: 'column',
    values: ORDERS,
    help: `order of the table, largest first: ${oneOf(ORDERS)} (default: lookups)`,
    example: 'lookups',
  },
  filter: {
    group: 'Report',
    argument: 'text',
    help: 'only rows with this text in their type, function or file (default: all)',
    example: 'cache.go',
  },
  width: {
    group: 'Report',
    argument: 'columns',
    help: 'columns of the table (default: those of the terminal; elsewhere as many as it needs)',
    example: '120',
  },
  output: {
    group: 'Report',
    argument: 'file',
    help: 'write the report to this file (default: stdout)',
    example: 'report.html',
  },
  spikes: {
    group: 'Report',
    argument: 'threshold',
    help: "report lookups with more probes or key comparisons than this: 32, 8x (times the call site's mean), or off (default: 32 with a logs endpoint, otherwise off)",
    example: '8x',
  },
  goroutines: {
    group: 'Report',
    argument: 'n',
    help: 'report the n goroutines with the most lookups; 0 turns per-goroutine counts off and makes each hit cheaper (default: 10; 5 in tables)',
    example: '20',
  },
  spans: {
    group: 'Report',
    argument: 'n',
    help: 'report the n spans whose lookups took longest; 0 reports none (default: 10; 5 in tables; only when spans are followed anyway)',
    example: '20',
  },
  ui: {
    group: 'Page',
    argument: 'address',
    isOptional: true,
    help: 'serve a live page at this HOST:PORT or port; anywhere but on loopback visitors need a token, which the printed address holds (default address: 127.0.0.1:7274, or another port when that is taken)',
    example: '127.0.0.1:7274',
  },
  traceUrl: {
    group: 'Page',
    argument: 'url',
    help: 'link traces on the page by this template, such as http://localhost:16686/trace/{trace_id}; {span_id} may be in it, too',
    example: 'http://localhost:16686/trace/{trace_id}',
  },
  otlpEndpoint: {
    group: 'OpenTelemetry',
    argument: 'url',
    help: 'send metrics to this OpenTelemetry collector over OTLP: HTTP on port 4318 or with a path, else gRPC (default: from the OTEL_EXPORTER_OTLP_* variables)',
    example: 'http://collector:4317',
  },
  otlpLogsEndpoint: {
    group: 'OpenTelemetry',
    argument: 'url',
    help: 'send spikes as log events to this collector (default: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT; without it none are sent)',
    example: 'http://collector:4318',
  },
  perGoroutine: {
    group: 'OpenTelemetry',
    argument: 'n',
    help: 'export separate histograms over OTLP for the n goroutines with the most lookups, at most 100 (default: none)',
    example: '5',
  },
  traceSources: {
    group: 'Traces',
    argument: 'list',
    values: [...TRACE_SOURCES, 'none'],
    help: `where to find trace ids: any of ${TRACE_SOURCES.join(',')}, or none (default: all)`,
    example: 'labels,sdk',
  },
  traceLabels: {
    group: 'Traces',
    argument: 'names',
    help: 'names of pprof labels that hold trace ids (default: trace_id,traceid,trace id)',
    example: 'trace_id',
  },
  spanLabels: {
    group: 'Traces',
    argument: 'names',
    help: 'names of pprof labels that hold span ids (default: span_id,spanid,span id,profile_id)',
    example: 'span_id',
  },
  verify: {
    group: 'Verification',
    help: 'compare decoded lookups with what the functions return; leave out functions that disagree',
    example: 'true',
  },
  lookups: {
    group: 'Verification',
    argument: 'n',
    help: 'verify this many lookups of each function (default: 1000)',
    example: '10000',
  },
  allowUnknownGo: {
    group: 'Verification',
    help: 'observe programs built with a Go newer than mapscope knows, using the newest known layouts; requires --verify',
    example: 'true',
  },
  logFormat: {
    group: 'Log',
    argument: 'format',
    values: LOG_FORMATS,
    help: 'form of what mapscope says on stderr: text, or json with a document in each line (default: text)',
    example: 'json',
  },
  logLevel: {
    group: 'Log',
    argument: 'level',
    values: LOG_LEVELS,
    help: `say only what is as severe as this: ${oneOf(LOG_LEVELS)} (default: info)`,
    example: 'warn',
  },
};

/** The settings, in the order of the help. */
export const SETTING_NAMES = Object.keys(OPTIONS) as readonly (keyof Settings)[];

/** What the command `verify` takes of them; it verifies anyway. */
export const VERIFY_SETTINGS: readonly (keyof Settings)[] = [
  'duration',
  'attachMethod',
  'format',
  'output',
  'lookups',
  'allowUnknownGo',
  'logFormat',
  'logLevel',
];

/** `otlpEndpoint` is `--otlp-endpoint` on the command line. */
export function optionName(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
