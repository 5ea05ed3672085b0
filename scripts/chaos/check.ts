/** What must be true of a run, whatever was lost meanwhile: checked against what the model, the tools and the server saw. */
import type { RunEvent } from '../../src/contract/event.js';
import { callsOf, textOf } from '../../src/contract/message.js';
import type { Entry } from '../../src/contract/transcript.js';
import type { ToolCallLine } from '../../test/fixtures/worker-process.js';
import { problemsOfEvents } from './check-events.js';
import { problemsOfHearing, problemsOfMessages, problemsOfTools } from './check-transcript.js';
import { historyOf, type RunHistory } from './history.js';
import type { Asked } from './model.js';
import type { Job } from './work.js';
import type { World } from './world.js';

/** What the world outside of the runs saw. */
export interface Seen {
  asked: Asked[];
  toolCalls: ToolCallLine[];
  /** How often each text of a tool call took effect. */
  effects: Map<string, number>;
  /** Workers that were paused for a while. What such a one does when it wakes up comes late, and nobody can prevent it. */
  paused: Set<string>;
}

/** An agent's reply in the transcript, and the answer of the model that it is. */
export interface Reply {
  entry: Entry;
  position: number;
  step: string;
  asked?: Asked;
}

export const noCounts = {
  /** To sessions. */
  messages: 0,
  /** Model calls that the server accepted. */
  finished: 0,
  /** Requests to the model whose answers it never accepted: their workers were lost before. */
  unfinished: 0,
  /** Of those, the ones that a paused worker made after its step was finished by another. */
  late: 0,
  toolCalls: 0,
  /** Attempts at tool calls beyond the first, with the same key. */
  toolRepeats: 0,
  continuations: 0,
};

export type Counts = typeof noCounts;

export async function checkRun(world: World, job: Job, seen: Seen): Promise<{ problems: string[]; counts: Counts }> {
  const { run, said, pattern } = job;
  const entries = await run.transcript();
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  const history = await historyOf(world.temporal, run.id, (await run.status()).firstRunId);
  const replies = repliesOf(entries, seen.asked);
  const counts = {
    ...noCounts,
    messages: pattern === 'session' ? said.length : 0,
    finished: replies.length,
    continuations: history.continuations,
  };

  const problems = [
    ...history.problems,
    ...problemsOfMessages(job, entries),
    ...replies.flatMap((reply) => problemsOfReply(reply, entries, history)),
    ...problemsOfQuestions(job, replies, history, seen, counts),
    ...problemsOfTools(entries, replies, seen, counts),
    ...problemsOfEvents(events, entries, replies, job),
  ];
  return { problems: problems.map((problem) => `${run.id}: ${problem}`), counts };
}

function repliesOf(entries: Entry[], asked: Asked[]): Reply[] {
  const calls = new Map<number, number>();
  return entries.flatMap((entry, position) => {
    if (entry.turn === undefined || !entry.reply) return [];
    const call = (calls.get(entry.turn) ?? 0) + 1;
    calls.set(entry.turn, call);
    const nonce = /\bn\d+\b/.exec(`${callsOf(entry.message)[0]?.callId} ${textOf(entry.message)}`)?.[0];
    return [{ entry, position, step: `${entry.turn}/${call}`, asked: asked.find((one) => one.nonce === nonce) }];
  });
}

function problemsOfReply(reply: Reply, entries: Entry[], { finished }: RunHistory): string[] {
  const { step, entry, asked } = reply;
  if (!asked) return [`the reply of step ${step} is none that the model gave: ${textOf(entry.message).slice(0, 100)}`];
  const calls = callsOf(entry.message).map(({ callId }) => callId);
  return [
    ...(finished.has(step) ? [] : [`step ${step} is in the transcript, but the server has not accepted it.`]),
    ...(calls.join() === asked.calls.join() ? [] : [`step ${step} has the calls ${calls.join()} instead of ${asked.calls.join()}.`]),
    ...problemsOfHearing(reply, asked, entries),
  ];
}

/** All requests at one step ask the same. Exactly one of their answers is in the transcript, and nobody asks after it was accepted. */
function problemsOfQuestions(job: Job, replies: Reply[], { finished }: RunHistory, seen: Seen, counts: Counts): string[] {
  const problems: string[] = [];
  const attempts = new Map<string, Asked[]>();
  for (const one of ofRun(job, seen.asked)) attempts.set(one.question, [...(attempts.get(one.question) ?? []), one]);
  const answered = new Map(replies.flatMap(({ asked, step }) => (asked ? [[asked.nonce, step] as const] : [])));
  for (const [, group] of attempts) {
    const nonces = group.map(({ nonce }) => nonce).join(', ');
    const [step, ...others] = group.flatMap(({ nonce }) => answered.get(nonce) ?? []);
    if (step === undefined || others.length > 0) {
      problems.push(`of the answers ${nonces} to one question ${step === undefined ? 'none' : 'several'} counted.`);
      continue;
    }
    counts.unfinished += group.length - 1;
    const { at = 0, attempt = 0 } = finished.get(step) ?? {};
    if (group.length > attempt)
      problems.push(`step ${step} was tried ${attempt} times, and the model was asked ${group.length} times (${nonces}).`);
    for (const again of group.filter((one) => one.at > at)) {
      if (seen.paused.has(again.worker)) counts.late += 1;
      else
        problems.push(
          `step ${step} was finished, and ${again.worker} asked the model again (${again.nonce}, ${Math.round(again.at - at)} ms later).`,
        );
    }
  }
  return problems;
}

function ofRun({ said }: Job, asked: Asked[]): Asked[] {
  const texts = new Set(said.map(({ text }) => text));
  return asked.filter(({ heard }) => heard.some(({ content }) => texts.has(content)));
}
