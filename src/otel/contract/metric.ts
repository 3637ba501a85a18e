import type { AttributeKey } from './attribute-names.ts';

/** What a metric measures and how it is sent. */
export interface MetricContract {
  readonly name: string;
  readonly kind: 'histogram' | 'counter' | 'gauge';
  /** UCUM; things counted stand in braces. */
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly AttributeKey[];
  /** Values are whole numbers. */
  readonly integer: boolean;
  /** Inclusive upper bounds, of histograms. */
  readonly bounds?: readonly number[];
  /** Only for targets with this implementation of maps; for the other one the value has no meaning. */
  readonly only?: 'classic' | 'swiss';
  /** Points may carry exemplars. */
  readonly exemplars?: true;
}

type Details = Partial<Pick<MetricContract, 'attributes' | 'integer' | 'bounds' | 'only' | 'exemplars'>>;

/** Attributes of everything that is exported per call site and map type; lookups are split by result, too. */
export const SITE: readonly AttributeKey[] = ['type', 'functionName', 'filePath', 'lineNumber'];
export const SITE_AND_RESULT: readonly AttributeKey[] = [...SITE, 'result'];

/** A histogram by call site, map type and result, unless `details` say otherwise. */
export function histogram(name: string, unit: string, description: string, details: Details): MetricContract {
  return {
    name,
    kind: 'histogram',
    unit,
    description,
    attributes: SITE_AND_RESULT,
    integer: true,
    ...details,
  };
}

/** A monotonic sum. */
export function counter(
  name: string,
  unit: string,
  description: string,
  attributes: readonly AttributeKey[] = [],
  details: Details = {},
): MetricContract {
  return { name, kind: 'counter', unit, description, attributes, integer: true, ...details };
}

/** A value that can go up and down. */
export function gauge(
  name: string,
  unit: string,
  description: string,
  attributes: readonly AttributeKey[] = [],
  details: Details = {},
): MetricContract {
  return { name, kind: 'gauge', unit, description, attributes, integer: true, ...details };
}
