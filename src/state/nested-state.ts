/** What a run remembers of those that it has started, and of the one that has started it. */
import type { EventLogKey } from '../contract/event.js';
import type { Json } from '../contract/json.js';
import type { CancelMode, RunResult } from '../contract/run.js';
import type { Inherited, Usage } from '../contract/transcript.js';
import type { Shape } from './shape.js';

/** A run that another has started. */
export interface Operation {
  id: string;
  /** Workflow id. */
  runId: string;
  member: string;
  /** It says that it has ended, but not how. */
  ended?: boolean;
  /** What it had used by then. */
  usage?: Usage;
  /** When to look after it, in milliseconds of the run's clock, and the pause after that. */
  lookAt?: number;
  pause?: number;
  outcome?: { result: RunResult } | { failure: { type: string; message: string } };
  /** What it asks people counts no more, because something new was said here. */
  superseded?: boolean;
  /** It was told that this run is about to end. */
  toldToStop?: CancelMode;
}

export interface Letter {
  /** Workflow id. */
  to: string;
  signal: string;
  payload: Json;
}

export interface NestedOrigin {
  parent: string;
  operationId: string;
  root: EventLogKey;
  inherited?: Inherited;
}

export const usageShape: Shape = { fields: { inputTokens: 'count', outputTokens: 'count', totalTokens: 'count', modelCalls: 'count' } };

export const operationShape: Shape = {
  fields: {
    id: 'string',
    runId: 'string',
    member: 'string',
    outcome: { optional: 'object' },
    usage: { optional: usageShape },
    lookAt: { optional: 'count' },
    pause: { optional: 'count' },
    superseded: { optional: 'boolean' },
  },
};

export const letterShape: Shape = { fields: { to: 'string', signal: 'string', payload: 'any' } };

const inherited: Shape = { fields: { length: 'count', as: 'string', from: 'count', to: 'count' } };

export const nestedOriginShape: Shape = {
  fields: {
    parent: 'string',
    operationId: 'string',
    root: { fields: { workflowId: 'string', firstRunId: 'string' } },
    inherited: { optional: inherited },
  },
};
