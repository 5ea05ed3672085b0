/** A call was lost, and nobody knows whether its tool took effect: a person finds out. */
import { unknownOutcomeSchema, type KnownOutcome } from '../../contract/answers.js';
import type { JsonObject } from '../../contract/json.js';
import type { OpenTurn, ToolRound } from '../../state/run-state.js';
import { callView, reasonNotToAsk, requestIdOf, type Step } from './asking.js';
import { find } from './request-list.js';
import { askOnce } from './requests.js';
import type { AnyRun } from './run.js';
import { decided, policyIn, type OpenCall } from './tool-call.js';

/** Characters: it is kept for as long as somebody is asked. */
const longestReason = 500;

/** It is lost now, for the first time or again. */
export function lostCall(
  run: AnyRun,
  turn: OpenTurn,
  round: ToolRound,
  open: OpenCall,
  { reason, edited }: { reason: string; edited: JsonObject | undefined },
): Step {
  const times = (round.unknown?.[open.index]?.times ?? 0) + 1;
  const lost = { times, reason: reason.slice(0, longestReason), ...(edited && { arguments: edited }) };
  round.unknown = { ...round.unknown, [open.index]: lost };
  return unknownOutcomeOf(run, turn, round, open);
}

export function unknownOutcomeOf(run: AnyRun, turn: OpenTurn, round: ToolRound, open: OpenCall): Step {
  const { call, index } = open;
  const { times, reason, arguments: edited } = round.unknown?.[index] ?? { times: 1, reason: '' };
  const id = `${requestIdOf(run, 'unknown', turn, open)}${times > 1 ? `-${times}` : ''}`;
  const outcome = (ok: boolean, result: Parameters<typeof decided>[3]['result']) => decided(run, turn, open, { ok, result });
  const whyNot = find(run, id) ? undefined : reasonNotToAsk(run, turn);
  if (whyNot !== undefined) return { outcome: outcome(false, reason) };
  const patience = policyIn(round.reply, index).onUnknownOutcome ?? {};
  const asked = askOnce(run, id, {
    kind: 'unknownOutcome',
    prompt: `${reason}\nDid it take effect?`,
    schema: unknownOutcomeSchema,
    agent: turn.agent,
    call: callView(round.reply, open, edited),
    patience,
    turn,
  });
  return {
    waits: {
      asked,
      patience,
      withdrawn: (why) => outcome(false, `${reason} A person was asked, and that was withdrawn: ${why}.`),
      after: ({ response }) => {
        const known = response as KnownOutcome;
        if (known.outcome === 'retry') return { runs: edited ? { edited } : {} };
        if (known.outcome === 'done') return { outcome: outcome(true, known.result ?? `"${call.name}" took effect.`) };
        return { outcome: outcome(false, `"${call.name}" did not take effect.${known.reason ? ` ${known.reason}` : ''}`) };
      },
    },
  };
}
