/* The Helm chart: one mapscope per node, from the same objects as the plain manifests. */
import { MANIFEST } from '../package/product.ts';
import type { Fields, Value } from './container.ts';
import { ACCOUNT, DAEMON_SET } from './manifests.ts';

const POD = 'spec.template.spec';

/** Parts of the DaemonSet that a user of the chart sets: the value's name, and where it is in the object. */
const PARAMETERS: Readonly<Record<string, string>> = {
  args: `${POD}.containers.0.args`,
  endpoint: `${POD}.containers.0.env.0.value`,
  nodeSelector: `${POD}.nodeSelector`,
  resources: `${POD}.containers.0.resources`,
};

/** Places whose content is an expression of Helm's. What is not a text there comes as JSON, which is YAML. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  'metadata.namespace': '{{ .Release.Namespace }}',
  [`${POD}.containers.0.image`]: '{{ .Values.image }}:{{ .Values.tag | default .Chart.AppVersion }}',
  ...Object.fromEntries(
    Object.entries(PARAMETERS).map(([name, place]) => [place, `{{ toJson .Values.${name} }}`]),
  ),
};

export const CHART: Fields = {
  apiVersion: 'v2',
  name: 'mapscope',
  description: 'See why a Go map lookup was slow: one mapscope per node',
  type: 'application',
  version: MANIFEST.version,
  appVersion: MANIFEST.version,
};

export const VALUES: Fields = {
  image: 'mapscope',
  tag: '',
  ...Object.fromEntries(Object.entries(PARAMETERS).map(([name, place]) => [name, at(DAEMON_SET, place)])),
};

/** The templates by their files. An expression that gives JSON must not be in quotes: see `unquoted`. */
export const TEMPLATES: Readonly<Record<string, Fields>> = {
  'templates/daemonset.yaml': withExpressions(DAEMON_SET, '') as Fields,
  'templates/serviceaccount.yaml': withExpressions(ACCOUNT, '') as Fields,
};

/** Takes the quotes away that YAML needs around an expression, where it stands for more than a text. */
export function unquoted(yaml: string): string {
  return yaml.replace(/(['"])(\{\{ toJson [^'"}]+ \}\})\1/g, '$2');
}

function at(value: Value, path: string): Value {
  return path.split('.').reduce((inner: Value, name) => {
    const next = (inner as { readonly [key: string]: Value })[name];
    if (next === undefined) {
      throw new Error(`there is no ${path}`);
    }
    return next;
  }, value);
}

function withExpressions(value: Value, path: string): Value {
  const expression = EXPRESSIONS[path];
  if (expression !== undefined) {
    return expression;
  }
  const inner = (name: string | number): string => (path === '' ? String(name) : `${path}.${name}`);
  if (Array.isArray(value)) {
    return value.map((element: Value, i) => withExpressions(element, inner(i)));
  }
  if (typeof value !== 'object') {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, withExpressions(field, inner(name))]),
  );
}
