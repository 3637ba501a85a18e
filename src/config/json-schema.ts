import { z } from 'zod';
import { CONFIG_VERSION, VERSION_HELP } from './file/version.ts';
import { OPTIONS } from './options.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { SELECTION_NAMES, selectionSchema } from './selection-schema.ts';

/** What the configuration file may hold, for editors and for who checks it before a deployment. */
export function settingsJsonSchema(): Record<string, unknown> {
  const version = z.literal(CONFIG_VERSION).optional().describe(VERSION_HELP);
  return z.toJSONSchema(settingsSchema.extend({ ...selectionSchema.shape, version }), {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      const [kind, name, ...rest] = path;
      if (
        kind !== 'properties' ||
        rest.length > 0 ||
        name === undefined ||
        name === 'version' ||
        SELECTION_NAMES.includes(String(name))
      ) {
        return;
      }
      if (jsonSchema.type === 'array') {
        // As on the command line: a text that list() splits.
        const { type, items = {} } = jsonSchema;
        delete jsonSchema.type;
        delete jsonSchema.items;
        jsonSchema.anyOf = [{ type: 'string' }, { type, items }];
      }
      jsonSchema.description = OPTIONS[name as keyof Settings].help;
    },
  });
}
