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
