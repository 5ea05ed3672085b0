/** The model of the chaos: it does what a message tells it to, says something new each time, and remembers what it was asked. */
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { scriptedModel, type ScriptedCall, type ScriptedReply } from '../../src/testing/index.js';
import type { Dice } from './dice.js';
import { keeperReply } from './keeper.js';
import { teamReply } from './teams.js';

/** One request, and what was answered. */
export interface Asked {
  /** In every text and every call of the answer, and nowhere else. */
  nonce: string;
  /** The same for all attempts at one step: they hear the same. */
  question: string;
  worker: string;
  at: number;
  heard: { role: string; content: string }[];
  text: string;
  calls: string[];
}

export interface ChaosModel {
  baseURL: string;
  asked: Asked[];
  /** `asked` with the name of the worker, for each request. */
  events: EventEmitter<{ asked: [worker: string] }>;
  close(): Promise<void>;
}

/** A message with a plan: after each `/` comes a round of tool calls, side by side where there is a `+`. */
export function planned(id: string, rounds: string[]): string {
  return `message ${id} plan:${rounds.join('/')};`;
}

export function roundsOf(text: string): string[] {
  return /plan:([\w+/]*);/.exec(text)?.[1]?.split('/').filter(Boolean) ?? [];
}

export async function chaosModel(dice: Dice): Promise<ChaosModel> {
  const asked: Asked[] = [];
  const events = new EventEmitter<{ asked: [worker: string] }>();

  const answer = (call: ScriptedCall): ScriptedReply => {
    const known = teamReply(call) ?? keeperReply(call);
    if (known) {
      events.emit('asked', call.headers['x-worker'] ?? '');
      return { ...known, delayMs: dice.pick([0, 20, 200, 600]) };
    }
    const nonce = `n${asked.length + 1}`;
    const said = call.messages.filter(({ role }) => role !== 'system');
    const lastWords = said.map(({ role }) => role).lastIndexOf('user');
    const plans = said.filter(({ role, content }) => role === 'user' && content.includes('plan:'));
    const plan = roundsOf(plans.at(-1)?.content ?? '');
    const round = plan[said.slice(lastWords).filter(({ calls = [] }) => calls.length > 0).length];
    const tools = round?.split('+') ?? [];
    const text = tools.length > 0 && dice.roll() < 0.5 ? '' : `${tools.length > 0 ? 'thinking' : 'reply'} ${nonce} ${filling(dice)}`;
    const calls = tools.map((name, i) => ({
      name,
      id: `${nonce}-${i}`,
      arguments: { text: `${nonce}-${i}`, ms: dice.pick([0, 0, 200, 800]) },
    }));
    asked.push({
      nonce,
      question: createHash('sha256')
        .update(JSON.stringify([call.model, call.messages]))
        .digest('hex'),
      worker: call.headers['x-worker'] ?? '',
      at: Date.now(),
      heard: said.map(({ role, content }) => ({ role, content })),
      text,
      calls: calls.map(({ id }) => id),
    });
    events.emit('asked', call.headers['x-worker'] ?? '');
    return { chunks: inPieces(text, 8), calls, delayMs: dice.pick([0, 20, 20, 60]) };
  };

  const { baseURL, close } = await scriptedModel(answer);
  return { baseURL, asked, events, close };
}

/** Mostly short; sometimes more than is kept inline, sent along, or shown whole. */
function filling(dice: Dice): string {
  const bytes = dice.pick([20, 20, 20, 60, 60, 3000, 30_000, 30_000, 90_000]);
  return 'lorem ipsum dolor sit amet '.repeat(Math.ceil(bytes / 27)).slice(0, bytes);
}

function inPieces(text: string, count: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / count));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
}
