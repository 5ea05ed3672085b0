/** How long a person is waited for, as zod schemas. Not for the sandbox. */
import { z } from 'zod';
import { approvalSchema, replySchema, reviewSchema } from './answers.js';
import { problemsOfJson } from './check-json.js';
import type { Json, JsonObject } from './json.js';
import { mostEscalations, mostReminders } from './patience.js';
import { chosen, isObject, list, strict, wholeNumber } from './schema-words.js';
import { spanMs } from './span.js';
import { spanSchema } from './span-schema.js';

/** Words for what happens when nobody answers. */
type Outcomes = readonly [string, ...string[]];

const nameError = 'must be a name of 1 to 200 characters';
const personSchema = z.string(nameError).regex(/^[^\p{Cc}]{1,200}$/u, nameError);
const assigneeError = 'must be a name, or a list of names';
const mostAssignees = 20;

const remindError = 'must be a span of time of a second or more, such as "1 day", or a list of such';
const pauseSchema = spanSchema.refine((span) => (spanMs(span) ?? 0) >= 1000, remindError);

/**
 * The members of an object that says how long a person is waited for.
 *
 * @param answer JSON schema that an answer has to fit, also one that counts instead
 */
export function patience(outcomes: Outcomes, answer: JsonObject, escalations: number = mostEscalations) {
  return {
    assignee: chosen((value) => (Array.isArray(value) ? list(personSchema, assigneeError, 1, mostAssignees) : personSchema)).optional(),
    role: personSchema.optional(),
    timeout: spanSchema.optional(),
    remind: chosen((value) => (Array.isArray(value) ? list(pauseSchema, remindError, 1, mostReminders) : pauseSchema)).optional(),
    onTimeout: onTimeout(outcomes, answer, escalations).optional(),
  };
}

function onTimeout(outcomes: Outcomes, answer: JsonObject, escalations: number) {
  const error = `must be one of ${outcomes.join(', ')}, or { "answer": … } or { "escalate": … }`;
  const escalate = (): z.ZodType =>
    escalations === 0
      ? z.never(`must not be there: a request is passed on at most ${mostEscalations} times`)
      : strict(patience(outcomes, answer, escalations - 1), 'must be an object such as { "role": "management", "timeout": "1 day" }');
  return chosen((value) => {
    if (isObject(value) && 'escalate' in value) return strict({ escalate: escalate() }, error);
    return isObject(value) ? strict({ answer: fitting(answer) }, error) : z.enum(outcomes as [string, ...string[]], error);
  });
}

function fitting(schema: JsonObject) {
  return z.any().superRefine((value, context) => {
    const [problem] = problemsOfJson(value as Json, schema);
    const where = problem?.path ? `its ${problem.path}` : 'it';
    if (problem) context.addIssue({ code: 'custom', message: `must be an answer to the request; ${where} ${problem.message}` });
  });
}

/** Of a tool: `when` is looked at by whoever knows what it may be. */
export const approvalShape = patience(['approve', 'reject', 'fail'], approvalSchema());
export const questionShape = patience(['continue', 'fail'], replySchema());
export const reviewShape = {
  ...patience(['approve', 'reject', 'fail'], reviewSchema(false)),
  maxRevisions: wholeNumber(100, 0).optional(),
};
