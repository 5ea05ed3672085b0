/** When a team is done: conditions, alone or as a tree. Plain JSON, so that they travel with a run and are remembered by it. */
import type { Span } from './json.js';

/** `F` is how functions may be given: by name in a document, also as values in code. */
export type Condition<F = string> =
  /** Everything that is said counts, the task too. Tool traffic does not. */
  | { type: 'maxMessages'; max: number }
  /** Turns of agents that have ended. */
  | { type: 'maxTurns'; max: number }
  | TextMention
  /** A message that carries `stop: true` beside its contents, or an agent that says that the task is done. */
  | { type: 'stopMessage' }
  /** An agent has handed over to this one. */
  | { type: 'handoffTo'; target: string }
  /** The function has a result, which may be an error. */
  | { type: 'functionCall'; name: string }
  /** An agent, or this one, has replied in words. */
  | { type: 'textMessage'; source?: string }
  /** One of these has spoken. */
  | { type: 'source'; sources: string[] }
  /** Tokens of the whole run, managers included. One that is reached is enough. */
  | { type: 'tokenUsage'; total?: number; input?: number; output?: number }
  /** Since the run started. */
  | { type: 'timeout'; after: Span }
  /** Somebody asks from outside. */
  | { type: 'external' }
  /** A registered function says so. */
  | { type: 'custom'; function: F }
  /** All of them, at any time and in any order. */
  | { type: 'and'; conditions: Condition<F>[] }
  /** Any of them. */
  | { type: 'or'; conditions: Condition<F>[] };

/** Somebody has said this. */
export interface TextMention {
  type: 'textMention';
  text: string;
  /** Only when one of these says it. @default anybody */
  sources?: string[];
  /** Whether what comes from outside the team counts, the task first of all. @default false */
  includeTask?: boolean;
  /** @default true */
  caseSensitive?: boolean;
}

export type ConditionType = Condition['type'];

/** A condition that fired. */
export interface Fired {
  /** Where in the tree: `''`, `conditions[1]`, `conditions[1].conditions[0]`. */
  path: string;
  type: ConditionType;
  /** One sentence for a person. */
  reason: string;
  /** RFC 3339. */
  at: string;
  /** Ordinal of the turn, if it was in one. */
  turn?: number;
}

/** How large a tree may be: levels, conditions in all, and those directly within one. */
export const conditionBounds = { levels: 8, inAll: 100, within: 50 } as const;
