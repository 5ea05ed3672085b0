/** Stands in for a payload that nobody could decode, so that a handler can refuse it instead of wedging its workflow. */
const mark = '__ostinatoUndecodable';

export interface Undecodable {
  [mark]: true;
  reason: string;
}

export function undecodable(reason: string): Undecodable {
  return { [mark]: true, reason: reason.slice(0, 300) };
}

export function isUndecodable(value: unknown): value is Undecodable {
  return typeof value === 'object' && value !== null && (value as Partial<Undecodable>)[mark] === true;
}
