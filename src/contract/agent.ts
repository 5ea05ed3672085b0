import type { ApprovalOptions, QuestionOptions, ReviewOptions } from './approval.js';
import type { Compaction } from './compaction.js';
import type { Json, JsonObject, Span } from './json.js';
import type { PatternName, PatternOptions } from './pattern.js';
import type { RunFrame } from './run.js';

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
  /**
   * What it may use: names of registered tools, alone or with a person's approval; members of its own, each asked by a call `ask_<name>` and
   * answering in a run of its own; a person, asked by a call `ask_person`.
   */
  tools?: ToolReference[];
  /** In the pattern `handoff`: whom it may hand over to. @default everybody, unless somebody says otherwise */
  handoffs?: string[];
  temperature?: number;
  /** Most tokens of one reply. */
  maxOutputTokens?: number;
  /** How many times a turn may go back to the model with tool results. @default 16 */
  maxToolRounds?: number;
  /** JSON schema of the reply. */
  outputSchema?: JsonObject;
  /** How much it hears of a conversation that has grown long. @default everything, and the newer half when that is too long for the model */
  compaction?: Compaction;
  /** A person approves what it says before its turn is over, or sends it back. */
  review?: boolean | ReviewOptions;
  /** A session with it is deleted so long after its last message; `null`: never. @default what the worker's settings say */
  expireAfter?: Span | null;
}

/** A tool by its name, or an agent, an orchestration or a person that is used as one. `approval` is instead of the tool's own. */
export type ToolReference =
  | string
  | { tool: string; approval?: true | ApprovalOptions }
  | { agent: string | AgentDefinition }
  | { orchestration: string | OrchestrationMember }
  | { person: true | QuestionOptions };

/** An orchestration as a member of another: its turn is a run of its own. */
export interface OrchestrationMember<P extends PatternName = PatternName> extends RunFrame {
  /** As an agent's. */
  name: string;
  description?: string;
  pattern: P;
  agents: Member[];
  options?: PatternOptions[P];
}

/** Who takes turns: the name of a registered agent or orchestration, or a definition of either. */
export type Member = string | AgentDefinition | OrchestrationMember;

/** What a workflow remembers of a member; whole definitions are in the store under the team's id. */
export interface TeamMember {
  name: string;
  /** For those who choose who speaks. */
  description?: string;
  maxToolRounds: number;
  /** Task queue on which the calls of its model are rationed; absent: the run's own. */
  modelQueue?: string;
  /** The same of the model that sums up for it. */
  summaryQueue?: string;
  /** Works for the pattern (a manager, an aggregator) and takes no turns of its own accord. */
  staff?: true;
  /** It is an orchestration: each of its turns is such a run. */
  nested?: NestedRun;
  /** Its calls of these names are runs of their own. */
  delegates?: { [call: string]: NestedRun };
  /** Its calls of these names are moves in the pattern, and end its turn. */
  controls?: { [call: string]: Control };
  /** Its calls of these names are questions to a person. */
  questions?: { [call: string]: QuestionOptions };
  /** What it says is reviewed. */
  review?: ReviewOptions;
}

/** A run that another starts: a pattern, and the id of what `loadTeam` has prepared for it. */
export interface NestedRun {
  name: string;
  pattern: string;
  prepared: string;
  /** Its task is any JSON: the `arguments` of the call that asks it, or the text in them. */
  takes?: 'arguments' | 'text';
}

/** Hands over to another agent, or says that the task is done. */
export type Control = { handoff: string } | { complete: true };

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
export interface RecordedAgent extends Omit<AgentDefinition, 'tools' | 'review'> {
  model: string;
  maxToolRounds: number;
  tools: ToolSpec[];
  /** By tool: whose calls a person is to approve, where the agent says so. */
  approvals?: { [tool: string]: ApprovalOptions };
  questions?: TeamMember['questions'];
  review?: ReviewOptions;
}

/** What a model is told about a tool. */
export interface ToolSpec {
  name: string;
  description: string;
  /** JSON schema of the arguments. */
  parameters: { [key: string]: Json };
}

export const agentNamePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
