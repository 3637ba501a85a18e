/* Processes that are left alone whatever a rule says, unless their exclusion is turned off by its name. */
import { basename } from 'node:path';
import { parentOf } from '../process.ts';
import type { ProcessFacts } from './process-facts.ts';

interface Exclusion {
  /** Which processes, as the rest of a sentence that begins with one of them: "it is ...". */
  readonly what: string;
  readonly isOf: (facts: ProcessFacts) => boolean;
}

/** By name. */
export const EXCLUSIONS = {
  self: { what: 'mapscope itself, or a process that it has started', isOf: isOwn },
  collectors: { what: 'a collector of telemetry', isOf: isCollector },
} as const satisfies Record<string, Exclusion>;

export type ExclusionName = keyof typeof EXCLUSIONS;

/** The names, as they are shown. */
export const EXCLUSION_NAMES = Object.keys(EXCLUSIONS) as readonly ExclusionName[];

function isOwn({ pid }: ProcessFacts): boolean {
  return pid === process.pid || parentOf(pid) === process.pid;
}

/** Every distribution of the OpenTelemetry Collector is built with it, whatever it is called: Alloy, too. */
const COLLECTOR_MODULES = new Set([
  'go.opentelemetry.io/collector/otelcol',
  'go.opentelemetry.io/collector/service',
]);

/** Main modules of other agents that collect telemetry on a machine, without a major version at the end. */
const AGENTS = new Set([
  'go.opentelemetry.io/obi',
  'go.opentelemetry.io/auto',
  'go.opentelemetry.io/ebpf-profiler',
  'github.com/grafana/beyla',
  'github.com/grafana/alloy',
  'github.com/grafana/agent',
  'github.com/parca-dev/parca-agent',
  'github.com/influxdata/telegraf',
  'github.com/elastic/beats',
  'github.com/DataDog/datadog-agent',
]);

/** For builds that say nothing of themselves. */
const COLLECTOR_NAME = /^otelcol(?:-[\w-]+)?$|^otelcontribcol$/;

function isCollector({ build, exe, isGo }: ProcessFacts): boolean {
  if (build?.modulePath === undefined) {
    return isGo && exe !== undefined && COLLECTOR_NAME.test(basename(exe));
  }
  const main = build.modulePath.replace(/\/v\d+$/, '');
  return AGENTS.has(main) || build.dependencies.some((path) => COLLECTOR_MODULES.has(path));
}
