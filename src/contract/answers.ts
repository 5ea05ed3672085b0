/** What answers to requests look like, as JSON schemas: for those who answer, and for the checks of what they send. */
import type { Json, JsonObject } from './json.js';

const text: JsonObject = { type: 'string', minLength: 1 };

/** Words of a person who takes part in a conversation. */
export const wordsSchema: JsonObject = {
  anyOf: [
    text,
    {
      type: 'object',
      properties: { message: text, end: { type: 'boolean' } },
      required: ['message'],
      additionalProperties: false,
    },
    { type: 'object', properties: { end: { const: true } }, required: ['end'], additionalProperties: false },
  ],
};

/** Of a plan. Once no more revisions are allowed, one that asks for another does not fit. */
export function planReviewSchema(mayRevise: boolean): JsonObject {
  const decision = { enum: mayRevise ? ['approve', 'reject', 'revise'] : ['approve', 'reject'] };
  return {
    anyOf: [
      { enum: ['approve', 'reject'] },
      { type: 'object', properties: { decision, feedback: { type: 'string' } }, required: ['decision'], additionalProperties: false },
    ],
  };
}

/** Longest words of a person about what an agent does, in characters. */
const longestFeedback = 8000;
const feedback: JsonObject = { type: 'string', maxLength: longestFeedback };

/** Of a call of a tool. @param args JSON schema of its arguments, for those who change them. */
export function approvalSchema(args: JsonObject = { type: 'object' }): JsonObject {
  const decided = (properties: JsonObject) => ({ type: 'object', properties, required: ['decision'], additionalProperties: false });
  return {
    anyOf: [
      { enum: ['approve', 'reject'] },
      decided({ decision: { const: 'approve' }, arguments: args, remember: { type: 'boolean' } }),
      decided({ decision: { const: 'reject' }, feedback }),
    ],
  };
}

export type ApprovalDecision =
  { decision: 'approve'; arguments?: JsonObject; remember?: boolean } | { decision: 'reject'; feedback?: string };

/** Of a call that was lost on its way. */
export const unknownOutcomeSchema: JsonObject = {
  anyOf: [
    { type: 'object', properties: { outcome: { const: 'done' }, result: {} }, required: ['outcome'], additionalProperties: false },
    { type: 'object', properties: { outcome: { const: 'failed' }, reason: feedback }, required: ['outcome'], additionalProperties: false },
    { type: 'object', properties: { outcome: { const: 'retry' } }, required: ['outcome'], additionalProperties: false },
  ],
};

export type KnownOutcome = { outcome: 'done'; result?: Json } | { outcome: 'failed'; reason?: string } | { outcome: 'retry' };

/** Of a question that an agent asks. */
export function replySchema(choices?: readonly string[]): JsonObject {
  return choices ? { enum: [...choices] } : { type: 'string', minLength: 1, maxLength: longestReply };
}

const longestReply = 32_000;

/** Of what an agent has said. Once no more revisions are allowed, an answer that asks for another does not fit. */
export function reviewSchema(mayRevise: boolean): JsonObject {
  const decision = { enum: mayRevise ? ['approve', 'reject', 'revise'] : ['approve', 'reject'] };
  return {
    anyOf: [
      { enum: ['approve', 'reject'] },
      { type: 'object', properties: { decision, feedback }, required: ['decision'], additionalProperties: false },
    ],
  };
}

/** A decision as a word, or with more to it. */
export function decisionIn<Decision extends { decision: string }>(response: Json): Decision {
  return (typeof response === 'string' ? { decision: response } : response) as unknown as Decision;
}
