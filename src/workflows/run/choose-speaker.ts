/** Who speaks next in a group chat: by turns, or as an agent or a function says. Whoever names nobody of the team is asked again, so many times. */
import { fail } from '../../contract/failure.js';
import type { Json } from '../../contract/json.js';
import type { PatternOptions, SelectionOptions } from '../../contract/pattern.js';
import { show } from '../../contract/problems.js';
import type { Run } from './run.js';

type ChatRun = Run<object, PatternOptions<string, string>['groupChat']>;

interface Place {
  round: number;
  previous: string;
}

interface Choice {
  speaker?: string;
  done?: boolean;
  reason?: string;
}

/** `undefined`: the chat is over. */
export async function chooseSpeaker(run: ChatRun, place: Place): Promise<string | undefined> {
  const { manager = 'roundRobin' } = run.options;
  if (manager === 'roundRobin') return announce(run, nextInTurn(run, place), 'roundRobin');
  const candidates = candidatesOf(run, place, manager);
  const onlyOne = candidates.length === 1 && manager.mayEnd === false;
  // With one candidate and no other question there is nothing to ask.
  if (onlyOne) return announce(run, candidates[0] as string, 'manager');
  const asked = 'function' in manager ? await callManager(run, place, manager, candidates) : await askManager(run, manager, candidates);
  if (asked === undefined) return fallback(run, place, manager, candidates);
  if (asked.done && manager.mayEnd !== false) return undefined;
  return announce(run, asked.speaker as string, 'manager', asked.reason);
}

function nextInTurn({ agents }: ChatRun, { previous }: Place): string {
  return agents[(agents.indexOf(previous) + 1) % agents.length] as string;
}

function candidatesOf({ agents }: ChatRun, { previous }: Place, { allowRepeat = false }: SelectionOptions): string[] {
  return allowRepeat || agents.length === 1 ? agents : agents.filter((agent) => agent !== previous);
}

function announce(run: ChatRun, speaker: string, by: 'manager' | 'roundRobin' | 'fallback', reason?: string): string {
  run.emit('speaker.chosen', { speaker, by, ...(reason !== undefined && { reason: reason.slice(0, 1000) }) });
  return speaker;
}

async function askManager(run: ChatRun, manager: { agent: string } & SelectionOptions, candidates: string[]): Promise<Choice | undefined> {
  const mayEnd = manager.mayEnd !== false;
  const choice = await run.ask<{ [key in keyof Choice]: Choice[key] } & { nobody?: true }>(manager.agent, {
    about: 'who speaks next',
    question: `Choose who speaks next.${mayEnd ? ' Or say that the conversation has come to its end.' : ''}\n${run.describe(candidates)}`,
    schema: {
      type: 'object',
      properties: {
        ...(mayEnd && { done: { type: 'boolean', description: 'Whether the conversation has come to its end.' } }),
        speaker: { enum: [...candidates, ...(mayEnd ? [''] : [])] },
        reason: { type: 'string' },
      },
      required: mayEnd ? ['done'] : ['speaker'],
    },
    check: ({ done = false, speaker = '' }) =>
      (done && mayEnd) || candidates.includes(speaker)
        ? undefined
        : `speaker must be one of ${candidates.join(', ')}, not ${show(speaker)}`,
    ...(manager.attempts !== undefined && { attempts: manager.attempts }),
    orElse: () => ({ nobody: true }),
  });
  return choice.nobody ? undefined : choice;
}

/** A name, or `{ speaker, done, reason }`. */
async function callManager(
  run: ChatRun,
  { round, previous }: Place,
  { function: name, mayEnd = true }: { function: string } & SelectionOptions,
  candidates: string[],
): Promise<Choice | undefined> {
  const returned = await run.call(name, { round, previous, candidates }, { since: 0 });
  const choice = choiceOf(returned);
  if (choice && ((choice.done && mayEnd) || candidates.includes(choice.speaker ?? ''))) return choice;
  run.emit('decision.refused', {
    by: name,
    reason: `who speaks next: ${show(choice?.speaker ?? returned)} is not one of ${candidates.join(', ')}`,
  });
  return undefined;
}

function choiceOf(returned: Json): Choice | undefined {
  if (typeof returned === 'string') return { speaker: returned };
  if (typeof returned !== 'object' || returned === null || Array.isArray(returned)) return undefined;
  const { speaker, done, reason } = returned;
  return {
    ...(typeof speaker === 'string' && { speaker }),
    ...(typeof done === 'boolean' && { done }),
    ...(typeof reason === 'string' && { reason }),
  };
}

function fallback(
  run: ChatRun,
  place: Place,
  manager: Exclude<ChatRun['options']['manager'], 'roundRobin' | undefined>,
  candidates: string[],
): string {
  const { fallback: way = 'function' in manager ? 'fail' : 'roundRobin' } = manager;
  if (way === 'fail') {
    const who = 'function' in manager ? manager.function : manager.agent;
    throw fail('Manager.Failed', `${who} named nobody of the team who may speak next: ${candidates.join(', ')}.`, { final: true });
  }
  return announce(run, way === 'first' ? (candidates[0] as string) : nextInTurn(run, place), 'fallback');
}
