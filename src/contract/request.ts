/** What a person is asked, and what becomes of it. */
import type { Json, JsonObject } from './json.js';

/**
 * `question`: an agent, or the pattern, needs words of a person. `planReview`: a plan is to be approved or revised. `toolApproval`: a
 * tool may run or not. `review`: what an agent has said is to be approved or revised. `unknownOutcome`: nobody knows whether a tool took effect.
 */
export type RequestKind = 'question' | 'planReview' | 'toolApproval' | 'review' | 'unknownOutcome' | (string & {});

/** One entry of the `requests` query. */
export interface RequestView {
  /** What an answer names. Of a nested run's request: `<operation>~<its id there>`. */
  requestId: string;
  kind: RequestKind;
  /** What the person reads. */
  prompt: string;
  /** JSON schema of the answer. */
  schema?: JsonObject;
  /** Who asks. */
  agent?: string;
  /** Who may answer, by name; absent: anybody. With it an answer says `by` whom it is, which is the caller's claim. */
  assignee?: string[];
  /** For whom it is, in words, such as `finance`. Shown, and looked for; not checked. */
  role?: string;
  /** Whom it was for before it was passed on. */
  escalatedFrom?: string[];
  /** What is to be approved, or may have happened. */
  call?: CallView;
  /** RFC 3339. */
  createdAt: string;
  expiresAt?: string;
  /** How often there was a reminder, and when the next one is due. */
  reminders?: number;
  remindAt?: string;
  status: 'pending' | 'answered' | 'expired' | 'withdrawn';
  /** Of one that has expired: the answer that counts instead. */
  response?: Json;
  /** Who answered, as the answer said. */
  by?: string;
  answeredAt?: string;
}

/** A call of a tool. Large arguments are the beginning of their text. */
export interface CallView {
  tool: string;
  callId: string;
  arguments?: Json;
}
