/** What a person is asked, and what becomes of it. */
import type { Json, JsonObject } from './json.js';

/** `question`: an agent, or the pattern, needs words of a person. `planReview`: a plan is to be approved or revised. */
export type RequestKind = 'question' | 'planReview' | (string & {});

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
  /** Who may answer, by name. @default anybody */
  assignee?: string[];
  /** For whom it is, in words. */
  role?: string;
  /** The call that it is about. */
  call?: { tool: string; callId: string; arguments?: Json };
  /** RFC 3339. */
  createdAt: string;
  expiresAt?: string;
  /** How often its assignee was reminded, and when that is done next. */
  reminders?: number;
  remindAt?: string;
  /** Whom it was for before it was passed on. */
  escalatedFrom?: string[];
  status: 'pending' | 'answered' | 'expired' | 'withdrawn';
  response?: Json;
  /** Who answered, as the answer said. */
  by?: string;
  answeredAt?: string;
}
