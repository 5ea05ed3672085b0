import { isUndecodable } from '../../contract/undecodable.js';

/** The argument of a query, or an empty one: a query must answer whatever it is asked. */
export function asArguments(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isUndecodable(value) ? (value as Record<string, unknown>) : {};
}
