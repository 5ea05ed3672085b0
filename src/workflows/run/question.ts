/** An agent asks a person: the answer is the result of its call. */
import type { QuestionOptions } from '../../contract/approval.js';
import { replySchema } from '../../contract/answers.js';
import { fail } from '../../contract/failure.js';
import type { JsonObject } from '../../contract/json.js';
import type { OpenTurn, ToolRound } from '../../state/run-state.js';
import { reasonNotToAsk, requestIdOf, type Step } from './asking.js';
import { find } from './request-list.js';
import { askOnce } from './requests.js';
import type { AnyRun } from './run.js';
import { decided, type OpenCall } from './tool-call.js';

const mostChoices = 100;
const longestChoice = 500;

export function questionOf(run: AnyRun, turn: OpenTurn, { reply }: ToolRound, open: OpenCall, patience: QuestionOptions): Step {
  const { call } = open;
  const outcome = (ok: boolean, result: string) => decided(run, turn, open, { ok, result });
  if (reply.cut)
    return { outcome: outcome(false, 'The reply was too large for a question in it to be read. Ask again, with less beside it.') };
  const read = reply.rawArguments?.[call.callId] === undefined ? readQuestion(call.arguments) : undefined;
  if (!read)
    return {
      outcome: outcome(
        false,
        `The arguments of "${call.name}" are wrong: it takes { "question": "…", "choices": ["…", "…"] }. Call it again.`,
      ),
    };
  const id = requestIdOf(run, 'ask', turn, open);
  const reason = find(run, id) ? undefined : reasonNotToAsk(run, turn);
  if (reason !== undefined) return { outcome: outcome(false, `Nobody was asked: ${reason}.`) };
  const asked = askOnce(run, id, {
    kind: 'question',
    prompt: read.question,
    schema: replySchema(read.choices),
    agent: turn.agent,
    patience,
    turn,
  });
  return {
    waits: {
      asked,
      patience,
      withdrawn: (why) => outcome(false, `The question was withdrawn: ${why}.`),
      after: (answer) => {
        if (typeof answer.response === 'string') return { outcome: outcome(true, answer.response) };
        if ('outcome' in answer && answer.outcome === 'fail')
          throw fail('Request.Expired', `Nobody answered the question of ${turn.agent} in time.`, { final: true });
        return { outcome: outcome(false, 'Nobody has answered. Go on without an answer.') };
      },
    },
  };
}

function readQuestion({ question, choices }: JsonObject): { question: string; choices?: string[] } | undefined {
  if (typeof question !== 'string' || question.trim() === '') return undefined;
  if (choices === undefined || choices === null || (Array.isArray(choices) && choices.length === 0)) return { question };
  if (!Array.isArray(choices) || choices.length > mostChoices) return undefined;
  const texts = choices.filter((choice) => typeof choice === 'string' && choice !== '' && choice.length <= longestChoice) as string[];
  return texts.length === choices.length ? { question, choices: texts } : undefined;
}
