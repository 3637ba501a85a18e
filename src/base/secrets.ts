/** Stands for what is not shown. */
const SECRET = '***';

/** What may be between a scheme and the host: a password may hold a slash, so that only the last @ is certain to end it. */
const USER = /([a-z][a-z0-9+.-]*:\/\/)([^\s"'<>]*)@/gi;

/** One parameter of a query, or of a fragment, which has the same form where tokens are handed on in it. */
const PARAMETER = /([?&;#][^\s=&;#"']+=)([^\s&;#"']+)/g;

/** Names of variables of the environment, as a configuration refers to them. */
const REFERENCES = /^(?:\$\{\w+\}:?)+$/;

/** Tells nobody anything: a short number, or a place for a trace's or a span's id. */
const HARMLESS = /^(?:\d{1,6}|[^{}]*\{(?:trace_id|span_id)\}[^{}]*)$/;

/** A text in which each URL is without its user name and password. */
function withoutUsers(text: string): string {
  return text.replace(USER, (all, scheme: string, user: string) =>
    REFERENCES.test(user) ? all : `${scheme}${SECRET}@`,
  );
}

/** A text in which each URL is without its user name, its password, and the values of its parameters. */
export function withoutSecrets(text: string): string {
  return withoutUsers(text).replace(
    PARAMETER,
    (_all, name: string, value: string) =>
      name + (HARMLESS.test(value) || REFERENCES.test(value) ? value : SECRET),
  );
}

/** Secrets that the environment holds, in each form in which they may come up in a sentence. */
const KNOWN = new Set<string>();

/** What is shorter is a word like others. */
const SHORTEST = 6;

/** Has secrets be hidden wherever mapscope says something: headers of requests, and the page's token. */
export function hideSecretsOf(environment: Readonly<Record<string, string | undefined>>): void {
  const headers = Object.entries(environment).flatMap(([name, value]) =>
    /^OTEL_EXPORTER_OTLP_(?:\w+_)?HEADERS$/.test(name) ? (value ?? '').split(',') : [],
  );
  const values = headers.map((header) => header.slice(header.indexOf('=') + 1).trim());
  for (const value of [...values, environment.MAPSCOPE_UI_TOKEN ?? '']) {
    // `Bearer`, and then the secret; a receiver may quote it.
    for (const form of [value, decoded(value)].flatMap((text) => [text, ...text.split(' ')])) {
      if (form.length >= SHORTEST && !/^(?:Bearer|Basic)$/i.test(form)) {
        KNOWN.add(form);
      }
    }
  }
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** A sentence without the secrets of the environment, and without users and passwords of URLs. */
export function hidden(sentence: string): string {
  const forms = [...KNOWN].sort((a, b) => b.length - a.length);
  return forms.reduce((text, form) => text.replaceAll(form, SECRET), withoutUsers(sentence));
}
