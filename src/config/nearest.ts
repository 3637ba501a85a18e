import leven from 'leven';

/** The name that somebody most likely meant: at most a third of its letters differ. @returns undefined when none is near */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((known) => ({ known, distance: leven(name.toLowerCase(), known.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance * 3 <= best.known.length ? best.known : undefined;
}
