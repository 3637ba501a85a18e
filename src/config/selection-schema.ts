import { z } from 'zod';
import { EXCLUSION_NAMES } from '../target/finding/built-in-exclusions.ts';
import type { Criteria, Rule } from '../target/finding/selection.ts';
import { CRITERIA } from './criteria.ts';

const GLOB = z.string('must be a text').min(1, 'must not be empty');

const PORT = 'must be a port from 1 to 65535, or two such as 8000-8099';

/** `8080`, or `8000-8099`. */
const port = z
  .union([z.int(PORT), z.string().regex(/^\d+(-\d+)?$/, PORT)], PORT)
  .transform((value): readonly [number, number] => {
    const [first, last = first] = String(value).split('-').map(Number);
    return [first ?? 0, last ?? 0];
  })
  .refine(([first, last]) => first >= 1 && first <= last && last <= 65_535, PORT);

const CONTAINER = 'must be any, or the beginning of a container id: at least 4 hexadecimal digits';

const criteria = {
  exe: GLOB.optional().describe(CRITERIA.exe.help),
  command: GLOB.optional().describe(CRITERIA.command.help),
  port: port.optional().describe(CRITERIA.port.help),
  container: z
    .string(CONTAINER)
    .regex(/^(any|[0-9a-f]{4,64}(-\d+)?)$/, CONTAINER)
    .optional()
    .describe(CRITERIA.container.help),
  podLabel: z
    .string('must be a label such as app=shop')
    .regex(/^[\w./-]+(=[\w.-]*)?$/, 'must be a label such as app=shop, or its name alone')
    .optional()
    .describe(CRITERIA.podLabel.help),
  go: z.literal(true, 'must be true, or left out').optional().describe(CRITERIA.go.help),
};

/** What a rule asks of a process. On the command line each is an option. */
const criteriaSchema = z
  .strictObject(criteria)
  .transform((asked) => asked as Criteria)
  .refine((asked) => Object.keys(asked).length > 0, 'must name at least one criterion');

const ruleSchema = z
  .strictObject(
    { include: criteriaSchema.optional(), exclude: criteriaSchema.optional() },
    'must be a rule such as include: { exe: shop }',
  )
  .refine(
    ({ include, exclude }) => (include === undefined) !== (exclude === undefined),
    'must have either include or exclude',
  )
  .transform(
    ({ include, exclude }): Rule =>
      include === undefined
        ? { action: 'exclude', criteria: exclude ?? {} }
        : { action: 'include', criteria: include },
  );

const EXCLUSION = `must name built-in exclusions: ${EXCLUSION_NAMES.join(', ')}`;

/** What a configuration file may say of which processes are observed. */
export const selectionSchema = z.strictObject({
  targets: z
    .array(ruleSchema, 'must be a list of rules')
    .default([])
    .describe(
      'which processes to observe: rules in order, of which the first that matches a process decides; one that none matches is left alone, and so are those of the built-in exclusions',
    ),
  withoutExclusions: z
    .array(z.enum(EXCLUSION_NAMES, EXCLUSION), EXCLUSION)
    .default([])
    .describe(
      'built-in exclusions to turn off: self (mapscope itself), collectors (collectors of telemetry)',
    ),
});

/** Settings of the file that are no options. */
export const SELECTION_NAMES = Object.keys(selectionSchema.shape);
