import type { Json, JsonObject } from './json.js';

/** An agent in plain JSON: who speaks. The form that a run's input may carry inline, and that is recorded when a run starts. */
export interface AgentDefinition {
  /** `^[A-Za-z][A-Za-z0-9_-]{0,63}$`, unique in the team. */
  name: string;
  /** What it is good at, for those who choose who speaks. */
  description?: string;
  /** The system prompt. */
  instructions: string;
  /** `model` or `provider/model`. @default the default model of the worker */
  model?: string;
  /** Names of tools registered with the worker. */
  tools?: string[];
  temperature?: number;
  /** Most tokens of one reply. */
  maxOutputTokens?: number;
  /** How many times a turn may go back to the model with tool results. @default 16 */
  maxToolRounds?: number;
  /** JSON schema of the reply. */
  outputSchema?: JsonObject;
}

/** What a workflow remembers of an agent; the whole definition is in the store under the team's id. */
export interface TeamMember {
  name: string;
  description?: string;
  maxToolRounds: number;
  /** Task queue on which the calls of its model are rationed; absent: the run's own. */
  modelQueue?: string;
}

/** The agents of a run, as they were when it started. */
export interface Team {
  /** Content hash of the whole document; also its fingerprint: two runs with the same id had the same agents. */
  id: string;
  members: TeamMember[];
}

/** The stored document behind `Team.id`. */
export interface TeamDocument {
  agents: RecordedAgent[];
}

/** An agent as recorded: names of tools have become what the model is told about them. */
export interface RecordedAgent extends Omit<AgentDefinition, 'tools'> {
  model: string;
  maxToolRounds: number;
  tools: ToolSpec[];
}

/** What a model is told about a tool. */
export interface ToolSpec {
  name: string;
  description: string;
  /** JSON schema of the arguments. */
  parameters: { [key: string]: Json };
}

export const agentNamePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
