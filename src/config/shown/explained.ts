import { EXIT, UserError } from '../../base/errors.ts';
import { CRITERIA } from '../criteria.ts';
import { variableName } from '../environment.ts';
import { CONFIG_VERSION } from '../file/version.ts';
import { settingsJsonSchema } from '../json-schema.ts';
import { nearest } from '../nearest.ts';
import { OPTIONS, optionName } from '../options.ts';
import type { Settings } from '../schema.ts';

/** What there is to know of one key of the configuration file. */
export interface Explained {
  readonly key: string;
  readonly meaning: string;
  /** What may stand there, in words. */
  readonly type: string;
  readonly default: string;
  /** How else it is given; undefined where it is not. */
  readonly option?: string;
  readonly variable?: string;
  /** Lines of YAML. */
  readonly example: string;
}

/** The part of JSON Schema that the configuration's uses. */
interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  version: `version: ${CONFIG_VERSION}`,
  targets: 'targets:\n  - exclude: { exe: shop-debug }\n  - include: { exe: shop* }',
  withoutExclusions: 'withoutExclusions: [collectors]',
  exe: 'exe: shop*',
  command: 'command: "* serve *"',
  port: 'port: 8000-8099',
  container: 'container: any',
  podLabel: 'podLabel: app=shop',
  go: 'go: true',
};

/**
 * Explains a key of the file, or a criterion of its rules, such as `exe`; an option's name, with or without hyphens, is a key's, too.
 *
 * @throws UserError (usage) when there is none
 */
export function explained(asked: string): Explained {
  const name = camelCase(asked.replace(/^targets\b.*\.(?=\w+$)/, ''));
  const { properties = {} } = settingsJsonSchema() as JsonSchema;
  const setting = properties[name];
  if (setting !== undefined) {
    return ofSetting(name, setting);
  }
  const criterion = criteria(properties)[name];
  if (criterion !== undefined) {
    return {
      key: `targets[].include.${name}`,
      meaning: `of a rule, a criterion: ${criterion.description ?? ''}`,
      type: typeInWords(criterion),
      default: 'none',
      option: optionName(name),
      example: `targets:\n  - include: { ${EXAMPLES[name]} }`,
    };
  }
  const known = nearest(name, explainable());
  const hint = known === undefined ? '' : `: did you mean ${known}?`;
  throw new UserError(`There is no setting ${asked}${hint || '.'}`, EXIT.usage);
}

/** All that can be explained. */
export function explainable(): string[] {
  return ['version', ...Object.keys(OPTIONS), 'targets', 'withoutExclusions', ...Object.keys(CRITERIA)];
}

/** `--otlp-endpoint` is `otlpEndpoint`. */
function camelCase(name: string): string {
  return name.replace(/^--/, '').replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

function ofSetting(name: string, schema: JsonSchema): Explained {
  const option = OPTIONS[name as keyof Settings];
  const [, meaning = '', inHelp] =
    /^(.*?)(?: \(default(?: address)?: (.*)\))?$/s.exec(schema.description ?? '') ?? [];
  return {
    key: name,
    meaning,
    type: typeInWords(schema),
    default: inHelp ?? defaultInWords(schema.default),
    ...(option !== undefined && { option: optionName(name), variable: variableName(name) }),
    example: option === undefined ? (EXAMPLES[name] ?? '') : `${name}: ${option.example}`,
  };
}

function criteria(properties: Readonly<Record<string, JsonSchema>>): Readonly<Record<string, JsonSchema>> {
  return properties.targets?.items?.properties?.include?.properties ?? {};
}

function defaultInWords(value: unknown): string {
  return value === undefined || (Array.isArray(value) && value.length === 0) ? 'none' : JSON.stringify(value);
}

/** What a value may be: `number or text`. */
function typeInWords(schema: JsonSchema): string {
  const { type, anyOf } = schema;
  if (schema.const !== undefined) {
    return JSON.stringify(schema.const);
  }
  if (schema.enum !== undefined) {
    return schema.enum.join(', ').replace(/, (?!.*, )/, ' or ');
  }
  if (anyOf !== undefined) {
    return [...new Set(anyOf.map(typeInWords))].join(', or ');
  }
  switch (type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return 'whole number';
    case 'array':
      return schema.items?.properties === undefined && schema.items !== undefined
        ? `list of: ${typeInWords(schema.items)}`
        : 'list';
    case 'object':
      return 'mapping';
    default:
      return type ?? 'any value';
  }
}
