/**
 * A glob over a path: `*` and `?` do not match a slash.
 *
 * path.matchesGlob() would not do: its `*` passes over names that begin with a dot.
 */
export function pathGlob(pattern: string): RegExp {
  return expression(pattern, '[^/]');
}

/** A glob over any text: `*` and `?` match every character. */
export function textGlob(pattern: string): RegExp {
  return expression(pattern, '[^]');
}

function expression(pattern: string, any: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', `${any}*`)
    .replaceAll('?', any);
  return new RegExp(`^${text}$`);
}
