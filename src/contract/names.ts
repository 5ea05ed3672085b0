/**
 * Names on the wire. The Temporal CLI, other languages and running workflows use them, so they are pinned by a test:
 * additions are free, changes are not.
 */
export const defaultTaskQueue = 'ostinato';

export const queries = {
  status: 'status',
  checkpoint: 'checkpoint',
  transcript: 'transcript',
  state: 'state',
  turn: 'turn',
} as const;

/** Each is an update and, with the same payload, a signal. */
export const messages = {
  say: 'say',
  cancel: 'cancel',
} as const;

/** Search attributes, used where they are registered. */
export const searchAttributes = {
  pattern: 'OstinatoPattern',
  agents: 'OstinatoAgents',
  status: 'OstinatoStatus',
} as const;

/** As they are registered, by the names of Temporal's CLI. */
export const searchAttributeTypes = {
  OstinatoPattern: 'Keyword',
  OstinatoAgents: 'KeywordList',
  OstinatoStatus: 'Keyword',
} as const satisfies Record<(typeof searchAttributes)[keyof typeof searchAttributes], string>;
