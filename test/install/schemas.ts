/* JSON schemas of Kubernetes' kinds, made from the OpenAPI document in its own module, as kubeconform reads them. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { goModule } from './go-commands.ts';

/** Releases whose schemas the manifests are checked with: the first with stable native sidecars, and the newest of today. */
export const KUBERNETES_VERSIONS = ['v1.33.0', 'v1.35.0'] as const;

/** What the manifests are made of. */
const KINDS = ['Namespace', 'ServiceAccount', 'Deployment', 'DaemonSet', 'Job'];

interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
  format?: string;
  [keyword: string]: unknown;
}

/** A folder with a schema for each kind of a release, which knows no field but those that the release knows. */
export async function schemaFolder(version: string): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mapscope');
  const folder = join(cache, `kubernetes-schemas-${version}`);
  if (existsSync(folder)) {
    return folder;
  }
  const module = await goModule('k8s.io/kubernetes', version);
  const text = await readFile(join(module, 'api/openapi-spec/swagger.json'), 'utf8');
  const { definitions }: { definitions: Record<string, Schema> } = JSON.parse(text);
  const work = `${folder}.${process.pid}`;
  await mkdir(work, { recursive: true });
  try {
    for (const definition of Object.values(definitions)) {
      const kinds = definition['x-kubernetes-group-version-kind'] ?? [];
      for (const { group, version: of, kind } of kinds.filter(({ kind: name }) => KINDS.includes(name))) {
        const name = [kind, group.split('.')[0] ?? '', of].filter((part) => part !== '').join('-');
        const schema = inline(definition, definitions, []);
        await writeFile(join(work, `${name.toLowerCase()}.json`), JSON.stringify(schema));
      }
    }
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

/** A schema without references, in which an object has the properties that it names and no other. */
function inline(schema: Schema, all: Record<string, Schema>, within: readonly string[]): Schema {
  const name = schema.$ref?.replace('#/definitions/', '');
  if (name !== undefined) {
    const target = all[name];
    // Schemas of schemas, which no manifest of ours has, refer to themselves.
    return target === undefined || within.includes(name) ? {} : inline(target, all, [...within, name]);
  }
  if (schema.format === 'int-or-string') {
    return { type: ['string', 'integer'] as unknown as string };
  }
  const { properties, items, additionalProperties, ...rest } = schema;
  const fields = Object.entries(properties ?? {}).map(([key, field]) => [key, inline(field, all, within)]);
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(fields), additionalProperties: false }),
    ...(items && { items: inline(items, all, within) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: inline(additionalProperties, all, within),
    }),
  };
}
