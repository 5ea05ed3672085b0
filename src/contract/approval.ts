/** What people are asked in the course of an agent's turn: how an agent, or a tool, says so. */
import type { Patience } from './patience.js';

/** A person decides whether a call of a tool is carried out. `onTimeout`: what happens when nobody does. @default 'reject' */
export interface ApprovalOptions<When = string> extends Patience<'approve' | 'reject' | 'fail'> {
  /** The name of a registered function that is given the arguments: only where it returns `false`, nobody is asked. @default always asked */
  when?: When;
}

/** The agent may ask a person, by a call of its own. `onTimeout`: what happens when nobody answers. @default 'continue': the agent is told so */
export interface QuestionOptions extends Patience<'continue' | 'fail'> {
  /** What the call is called. @default 'ask_person' */
  name?: string;
  /** For the model: whom it asks, and when to. */
  description?: string;
}

/** A person approves what the agent has said, or sends it back. `onTimeout`: what happens when nobody does. @default 'reject': its turn fails */
export interface ReviewOptions extends Patience<'approve' | 'reject' | 'fail'> {
  /** How often it may be sent back. @default 5 */
  maxRevisions?: number;
}
