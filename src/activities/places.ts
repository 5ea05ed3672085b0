/** Places in a document that hold agents or names of functions, by paths such as `aggregator.agent` or `transforms.*`. */
export interface Place {
  /** For people. */
  path: string;
  value: unknown;
  replace(value: unknown): void;
}

type Members = Record<string, unknown>;

/** The places that a path leads to; none where something on the way is missing. */
export function placesOf(document: Members, path: string, at: string): Place[] {
  const [first = '', ...rest] = path.split('.');
  const names = first === '*' ? Object.keys(document) : [first];
  return names.flatMap((name): Place[] => {
    const value = Object.hasOwn(document, name) ? document[name] : undefined;
    if (value === undefined) return [];
    const here = `${at}.${name}`;
    if (rest.length === 0) return [{ path: here, value, replace: (other) => (document[name] = other) }];
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? placesOf(value as Members, rest.join('.'), here) : [];
  });
}
