import type { PatternName } from '../contract/pattern.js';
import type { RunInput } from '../contract/run.js';
import type { Agent } from './define-agent.js';

/** A pattern over agents under a name of its own: everything a run needs but the task. */
export interface OrchestrationOptions<P extends PatternName = PatternName> extends Pick<RunInput<P>, 'options' | 'limits'> {
  /** `^[A-Za-z][A-Za-z0-9_-]{0,63}$`, not a pattern's name. */
  name: string;
  description?: string;
  pattern: P;
  /** Agents, or names of agents registered with the worker. */
  agents: (Agent | string)[];
}

export interface Orchestration<P extends PatternName = PatternName> extends Readonly<OrchestrationOptions<P>> {}

/**
 * An orchestration: a pattern over agents, started by name.
 *
 * @example
 * const article = defineOrchestration({ name: 'article', pattern: 'sequential', agents: [analyst, writer, editor] });
 */
export function defineOrchestration<P extends PatternName>(options: OrchestrationOptions<P>): Orchestration<P> {
  return Object.freeze({ ...options });
}
