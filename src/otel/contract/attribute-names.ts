import {
  ATTR_CODE_FILE_PATH,
  ATTR_CODE_FUNCTION_NAME,
  ATTR_CODE_LINE_NUMBER,
} from '@opentelemetry/semantic-conventions';

/** Attributes of data points. Addresses, bucket numbers, keys and values are never among them. */
export const ATTRIBUTES = {
  type: { name: 'gomap.type', description: "The map's type as Go prints it, e.g. `map[string]int`." },
  result: {
    name: 'gomap.lookup.result',
    description: '`hit` when the lookup found its key, `miss` when it did not.',
  },
  functionName: {
    name: ATTR_CODE_FUNCTION_NAME,
    description: 'Fully qualified Go function that made the lookup, with inlining undone.',
  },
  filePath: {
    name: ATTR_CODE_FILE_PATH,
    description: 'Its source file, as the compiler recorded it; absent when not known.',
  },
  lineNumber: { name: ATTR_CODE_LINE_NUMBER, description: 'The line of the lookup; absent when not known.' },
  reason: { name: 'mapscope.reason', description: 'Why, as a short word such as `stack` or `table_full`.' },
  table: { name: 'mapscope.table', description: 'Which table, a word such as `exemplars`.' },
  event: {
    name: 'mapscope.event',
    description: 'What a probe that follows spans saw, such as `spanStart`.',
  },
  overflow: {
    name: 'otel.metric.overflow',
    description:
      '`true` on the one series that holds the lookups of all call sites that are not kept apart, or of all goroutines without ' +
      'a series; it has no other attribute except `gomap.lookup.result`.',
  },
  goroutine: { name: 'gomap.goroutine.id', description: 'The goroutine that made the lookups.' },
  parentGoroutine: {
    name: 'gomap.goroutine.parent_id',
    description: 'The goroutine that started it; absent before Go 1.21.',
  },
} as const;

/** Key of an attribute in ATTRIBUTES. */
export type AttributeKey = keyof typeof ATTRIBUTES;

/** Attributes of exemplars, beside trace id and span id: what would make too many series as attributes of points. */
export const EXEMPLAR_ATTRIBUTES = {
  goroutine: ATTRIBUTES.goroutine,
  parentGoroutine: ATTRIBUTES.parentGoroutine,
} as const;
