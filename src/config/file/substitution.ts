/** The environment that references are looked up in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A text with its references replaced, or what is wrong with one of them, as a sentence. */
export type Substituted =
  | { readonly text: string; readonly variables: readonly string[] }
  | { readonly problem: string };

const REFERENCE = /\$\$|\$\{([^}\n]*)\}?/g;

const NO_REFERENCE =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what a person is to write
  'a reference must be ${NAME} or ${NAME:-otherwise}; a $ before { that is none is written $$.';

/** `VAR`, `env:VAR`, `VAR:-otherwise`. */
const INNER = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/;

/**
 * Replaces `${VAR}` by the value of a variable of the environment, `${VAR:-otherwise}` by the text when it is not set or empty, and
 * `$$` by a dollar sign, as OpenTelemetry's declarative configuration does: once, so that what a variable holds is not looked through
 * again. Other dollar signs stay.
 *
 * https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution
 */
export function substitute(text: string, environment: Environment): Substituted {
  const variables: string[] = [];
  let problem: string | undefined;
  const replaced = text.replace(REFERENCE, (whole, inner: string | undefined) => {
    if (whole === '$$') {
      return '$';
    }
    const [, name, otherwise] = whole.endsWith('}') ? (INNER.exec(inner ?? '') ?? []) : [];
    if (name === undefined) {
      problem ??= NO_REFERENCE;
      return '';
    }
    variables.push(name);
    const value = environment[name];
    if (value === undefined && otherwise === undefined) {
      problem ??= `the environment variable ${name} is not set, and \${${name}} has no default: set it, or write \${${name}:-otherwise}.`;
    }
    return value === undefined || (value === '' && otherwise !== undefined) ? (otherwise ?? '') : value;
  });
  return problem === undefined ? { text: replaced, variables } : { problem };
}
