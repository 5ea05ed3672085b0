/** Questions to members of staff, answered with JSON. Bounded: whoever gives no usable answer is told why, and asked again so many times. */
import type { TeamMember } from '../../contract/agent.js';
import { fail } from '../../contract/failure.js';
import type { Json, JsonObject } from '../../contract/json.js';
import type { AskModelInput, AskModelOutput } from '../../contract/step.js';
import { askModel } from './activities.js';
import { boundary, holdTokens } from './boundary.js';
import { askCompacted } from './compaction.js';
import type { AnyRun } from './run.js';
import { beginStep } from './steps.js';
import { showDetails } from './visibility.js';

export interface AskOptions<T extends Json> {
  /** What it is about, for people: `who speaks next`. */
  about: string;
  question: string;
  /** JSON schema of the answer. */
  schema: JsonObject;
  /** What the schema cannot say: why the answer cannot be used, if so. */
  check?: (answer: T) => string | undefined;
  /** @default 3 */
  attempts?: number;
  /** It hears nothing said before this position. @default everything */
  from?: number;
  /** What the words of an answer mean as they are: of one without any JSON, and of the last one when none has the form asked for. */
  orPlain?: (text: string) => T;
  /** Instead of failing the run when no answer can be used. */
  orElse?: (problem: string) => T;
}

const answerEvent = 500;

export async function ask<T extends Json>(run: AnyRun, member: TeamMember, options: AskOptions<T>): Promise<T> {
  const { about, check, attempts = 3, orPlain, orElse } = options;
  // Before the first attempt only: a run that continues as new must not repeat those that are done.
  await boundary(run);
  const ordinal = (run.state.lastTurn += 1);
  const feedback: { answer: string; problem: string }[] = [];
  let words = '';
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { outcome } = await attemptOf(run, member, options, `${ordinal}/${attempt}`, feedback);
    if (orPlain && 'plain' in outcome && outcome.plain) return orPlain(outcome.answer);
    const problem = 'problem' in outcome ? outcome.problem : check?.(outcome.value as T);
    if (problem === undefined && 'value' in outcome) return outcome.value as T;
    words = 'answer' in outcome ? outcome.answer : '';
    const answer = words || ('value' in outcome ? JSON.stringify(outcome.value) : '');
    feedback.push({ answer: answer.slice(0, 2000), problem: problem ?? '' });
    run.outbox.emit('decision.refused', {
      by: member.name,
      reason: `${about}: ${problem ?? ''}`.slice(0, answerEvent),
      turn: ordinal,
      step: `${ordinal}/${attempt}`,
    });
  }
  if (orPlain && words.trim() !== '') return orPlain(words);
  const problem = feedback.at(-1)?.problem ?? 'no answer';
  if (orElse) return orElse(problem);
  throw fail('Manager.Failed', `${member.name} gave no usable answer to "${about}" in ${attempts} attempts. The last: ${problem}`, {
    final: true,
  });
}

async function attemptOf<T extends Json>(
  run: AnyRun,
  member: TeamMember,
  { about, question, schema, from }: AskOptions<T>,
  step: string,
  feedback: AskModelInput['feedback'] & object,
): Promise<AskModelOutput> {
  run.throwIfStopped();
  holdTokens(run);
  beginStep(run, step);
  const summary = `${member.name}: ${about}${feedback.length > 0 ? `, attempt ${feedback.length + 1}` : ''}`.slice(0, 200);
  showDetails(run, summary);
  const turn = Number(step.split('/')[0]);
  const place = { step, turn, start: run.transcript.length, ...(from !== undefined && { from }), summary };
  return await askCompacted(run, member, place, (input, options) =>
    askModel(run.state.settings.times.model, options)({ ...input, question, schema, ...(feedback.length > 0 && { feedback }) }),
  );
}
