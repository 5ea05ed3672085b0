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
  requests: 'requests',
  audit: 'audit',
  snapshot: 'snapshot',
} as const;

/** Each is an update and, with the same payload, a signal. */
export const messages = {
  say: 'say',
  cancel: 'cancel',
  respond: 'respond',
  stop: 'stop',
} as const;

/** Updates only: whoever asks has to be told by which id the outcome is known. */
export const commands = {
  save: 'save',
  rollback: 'rollback',
  fork: 'fork',
} as const;

/** A nested run tells the one that started it what waits for people, and that it has ended. A signal between workflows, for nobody else. */
export const nestedSignal = 'nested';

/** Search attributes, used where they are registered. */
export const searchAttributes = {
  pattern: 'OstinatoPattern',
  agents: 'OstinatoAgents',
  status: 'OstinatoStatus',
  waitingFor: 'OstinatoWaitingFor',
} as const;

/** As they are registered, by the names of Temporal's CLI. */
export const searchAttributeTypes = {
  OstinatoPattern: 'Keyword',
  OstinatoAgents: 'KeywordList',
  OstinatoStatus: 'Keyword',
  OstinatoWaitingFor: 'KeywordList',
} as const satisfies Record<(typeof searchAttributes)[keyof typeof searchAttributes], string>;
