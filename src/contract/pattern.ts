/** The menu: every pattern, what it is for, and its options. Client, CLI and worker are driven from it. */
import type { AgentDefinition } from './agent.js';
import type { Span } from './json.js';
import type { MagenticPrompts } from './magentic-prompts.js';
import type { Patience } from './patience.js';

/** An agent by name, or as a definition. */
export type AgentReference = string | AgentDefinition;

/** An agent or a registered function, whichever is to decide. */
export type Decider<A = AgentReference, F = string> = { agent: A } | { function: F };

/** `A` is how agents may be given, `F` how functions may: by name in a document, also as values in code. */
export interface PatternOptions<A = AgentReference, F = string> {
  sequential: {
    /** What an agent hears: everything said before, or no more than the reply before its own turn. @default 'full' */
    contextMode?: 'full' | 'lastReply';
    /** By agent, but not for the first: a function that is given the last reply and returns all that this agent hears. */
    transforms?: { [agent: string]: F };
  };
  concurrent: {
    /** `failFast`: the first failure ends the others and the run. `collect`: failures are part of the result. @default 'failFast' */
    failurePolicy?: FailurePolicy;
    /** Longest time of one member's turn; a longer one has failed. */
    memberTimeout?: Span;
    /** What makes one output of many. @default the list of results */
    aggregator?: 'vote' | Decider<A, F>;
  };
  routing: {
    /** Who says which route it is. */
    classifier: Decider<A, F>;
    /** By label: which member answers, and for the classifier when this label is right. */
    routes: { [label: string]: string | { agent: string; description?: string } };
    /** Who answers when no label fits. @default nobody: the run fails */
    default?: string;
    /** `all`: several labels may be right, and their members answer side by side. @default 'first' */
    match?: 'first' | 'all';
  };
  handoff: {
    /** Who speaks first. @default the first agent */
    start?: string;
    /** By agent: whom it may hand over to, with a description of when. @default everybody to everybody */
    handoffs?: { [from: string]: string[] | { [to: string]: string } };
    /** Whether agents may say that the task is done, by `complete_task`. @default true */
    completeTask?: boolean;
    /** Most turns of all agents. @default 50 */
    maxTurns?: number;
    /** How often two agents may hand over to each other and back before that ends the run. @default 8 */
    maxReturns?: number;
    /** An agent that neither hands over nor completes is told to go on by itself. */
    autonomous?: boolean | { prompt?: string; turns?: number };
    /** A person answers an agent that neither hands over nor completes. */
    person?: boolean | PersonOptions;
    /** Whom a person's answer goes to. @default 'previous': the agent that asked */
    returnTo?: 'previous' | 'start';
  };
  groupChat: {
    /** Who says who speaks next. @default 'roundRobin' */
    manager?: 'roundRobin' | (Decider<A, F> & SelectionOptions);
    /** Most turns of agents. @default 20 */
    maxRounds?: number;
    /** Asked before each round whether the chat is over. */
    terminate?: { function: F };
    /** A person is asked for words before a round: after these agents, or every time. */
    person?: boolean | (PersonOptions & { after?: string[] });
    /** Makes the result of what was said. @default the last words of an agent */
    result?: Decider<A, F>;
  };
  magentic: {
    /** Who plans and judges. @default a manager of ours with the default model */
    manager?: { agent: A };
    /** Most turns of agents. @default 20 */
    maxRounds?: number;
    /** Rounds without progress beyond which there is a new plan. @default 3 */
    maxStalls?: number;
    /** New plans allowed. @default 3 */
    maxResets?: number;
    /** A person approves or revises each plan. */
    planReview?: boolean | PlanReviewOptions;
    /** Instead of ours, by name. */
    prompts?: Partial<MagenticPrompts>;
  };
  session: {
    /** Closes after so long without a message, and leaves a snapshot; the next message wakes it. @default never */
    sleepAfter?: Span;
    /** Is deleted so long after its last message, awake or asleep; `null`: never. @default what its agent says, then the worker's settings */
    expireAfter?: Span | null;
    /**
     * What becomes of a message while a person is asked something. `reject`: it is not taken. `queue`: it is heard once the turn is over.
     * `supersede`: nobody is asked any more, the turn comes to its end, and it is heard then. @default 'reject'
     */
    whilePending?: 'reject' | 'queue' | 'supersede';
  };
}

export type FailurePolicy = 'failFast' | 'collect' | { quorum: number };

/** `onTimeout`: what happens when nobody answers. @default 'end': the run ends with what there is */
export type PersonOptions = Patience<'end' | 'fail' | 'continue'>;

export interface SelectionOptions {
  /** Whether the same agent may speak twice in a row. @default false */
  allowRepeat?: boolean;
  /** Whether the manager may end the chat. @default true */
  mayEnd?: boolean;
  /** How often a manager that names nobody of the team is asked. @default 3 */
  attempts?: number;
  /** And what happens after that. @default 'roundRobin' for an agent, 'fail' for a function */
  fallback?: 'roundRobin' | 'first' | 'fail';
}

/** `onTimeout`: what happens when nobody answers. @default 'reject': the run ends without having begun */
export interface PlanReviewOptions extends Patience<'approve' | 'reject' | 'fail'> {
  /** Revisions of one plan. @default 5 */
  maxRevisions?: number;
}

export type PatternName = keyof PatternOptions;

interface Dish {
  /** One line for a menu. */
  description: string;
  /** How many agents it takes. */
  agents: { min: number; max: number };
  /** Does it need a task to start? */
  task: 'required' | 'optional';
  /** Where its options may hold agents that take no turns of their own accord, and names of functions. `*` is any member. */
  staff?: readonly string[];
  functions?: readonly string[];
}

const team = { min: 1, max: 100 };

export const patterns: { [P in PatternName]: Dish } = {
  sequential: {
    description: 'Agents speak one after another; each hears everything said before it.',
    agents: team,
    task: 'required',
    functions: ['transforms.*'],
  },
  concurrent: {
    description: 'Agents answer the same task side by side; their answers come together.',
    agents: team,
    task: 'required',
    staff: ['aggregator.agent'],
    functions: ['aggregator.function'],
  },
  routing: {
    description: 'A classifier says what the task is; the agent for that answers it.',
    agents: team,
    task: 'required',
    staff: ['classifier.agent'],
    functions: ['classifier.function'],
  },
  handoff: {
    description: 'One agent at a time; it answers, or hands over to another that is better suited.',
    agents: team,
    task: 'required',
  },
  groupChat: {
    description: 'Agents talk to one another; a manager says who speaks next, and when they are done.',
    agents: team,
    task: 'required',
    staff: ['manager.agent', 'result.agent'],
    functions: ['manager.function', 'terminate.function', 'result.function'],
  },
  magentic: {
    description: 'A manager plans, gives instructions, judges the progress and plans anew, until the task is done.',
    agents: team,
    task: 'required',
    staff: ['manager.agent'],
  },
  session: {
    description: 'One agent, many turns: a conversation that stays open.',
    agents: { min: 1, max: 1 },
    task: 'optional',
  },
};

export const patternNames = Object.keys(patterns) as PatternName[];
