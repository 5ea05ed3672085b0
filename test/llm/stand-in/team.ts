/** A team that talks by what the stand-in says: who hears what is as in a run, but nothing else is needed. */
import type { JsonObject } from '../../../src/contract/json.js';
import { magenticPrompts, standardManager } from '../../../src/contract/magentic-prompts.js';
import type { HttpModelMessage, HttpModelReply, HttpModelRequest } from '../../../src/llm/http-model.js';
import { standInReply } from '../../../src/llm/stand-in.js';

export interface Member {
  instructions: string;
  description?: string;
  tools?: HttpModelRequest['tools'];
}

interface Entry {
  author: string;
  text: string;
  to?: string[];
  call?: { name: string; arguments: JsonObject | string };
  result?: string;
}

export class Team {
  readonly entries: Entry[] = [];

  constructor(readonly members: { [name: string]: Member }) {}

  get names(): string[] {
    return Object.keys(this.members);
  }

  /** From outside: a person with a name, or without; or the run, to some. */
  hear(text: string, { author = '', to }: { author?: string; to?: string[] } = {}): this {
    this.entries.push({ author, text, ...(to && { to }) });
    return this;
  }

  /** One turn: what the agent says, and the move that it makes, its tools answered by `answers`. */
  turn(name: string, answers: (call: string, args: JsonObject) => string = () => 'ok'): HttpModelReply {
    for (let round = 0; round < 5; round++) {
      const reply = this.reply(name);
      const calls = reply.calls ?? [];
      const moves = calls.filter((call) => /^transfer_to_|^complete_task$/.test(call.name));
      if (calls.length === 0 || reply.text) this.entries.push({ author: name, text: reply.text ?? '' });
      for (const call of calls) {
        const result = moves.includes(call) ? 'the conversation goes over.' : answers(call.name, call.arguments as JsonObject);
        this.entries.push({ author: name, text: '', to: [name], call, result });
      }
      if (calls.length === 0 || moves.length > 0) return reply;
    }
    throw new Error(`${name} never stops calling tools`);
  }

  reply(name: string, more: Partial<HttpModelRequest> = {}): HttpModelReply {
    const { instructions = '', tools = [] } = this.members[name] ?? {};
    return standInReply(requestOf([{ role: 'system', content: instructions }, ...this.heardBy(name)], { tools, ...more }));
  }

  /** A question, as a run asks it. */
  ask<T>(member: Member, name: string, question: string, schema: JsonObject): T {
    const content = `${question}\n\nAnswer with one JSON object and nothing else. It has to fit this JSON schema:\n${JSON.stringify(schema)}`;
    const messages = [{ role: 'system', content: member.instructions }, ...this.heardBy(name), { role: 'user', content }];
    return JSON.parse(standInReply(requestOf(messages, { outputSchema: schema })).text ?? '') as T;
  }

  describe(names = this.names): string {
    return names
      .map((name) => `- ${name}: ${this.members[name]?.description ?? this.members[name]?.instructions.slice(0, 200)}`)
      .join('\n');
  }

  private heardBy(name: string): HttpModelMessage[] {
    return this.entries
      .filter(({ to }) => !to || to.includes(name))
      .flatMap(({ author, text, call, result = '' }, index): HttpModelMessage[] => {
        if (author !== name) return text === '' ? [] : [{ role: 'user', content: author ? `[${author}]\n${text}` : text }];
        if (!call) return [{ role: 'assistant', content: text }];
        const id = `call-${index}`;
        return [
          { role: 'assistant', content: '', calls: [{ id, name: call.name, arguments: JSON.stringify(call.arguments) }] },
          { role: 'tool', callId: id, content: result },
        ];
      });
  }
}

export function requestOf(messages: HttpModelMessage[], more: Partial<HttpModelRequest> = {}): HttpModelRequest {
  return { api: 'chat', model: 'm', messages, tools: [], headers: {}, body: {}, signal: new AbortController().signal, ...more };
}

/** Everybody may hand over to everybody else. */
export function withHandoffs(members: { [name: string]: Member }, completeTask = true): Team {
  const describe = (name: string) => members[name]?.description ?? '';
  const moves = (name: string): HttpModelRequest['tools'] => [
    ...Object.keys(members)
      .filter((other) => other !== name)
      .map((other) => ({
        name: `transfer_to_${other}`,
        description: `Hands the conversation over to ${other}. ${describe(other)}`.trim(),
        parameters: { type: 'object', properties: { reason: { type: 'string' } } },
      })),
    ...(completeTask ? [completeTool] : []),
  ];
  return new Team(
    Object.fromEntries(
      Object.entries(members).map(([name, member]) => [name, { ...member, tools: [...(member.tools ?? []), ...moves(name)] }]),
    ),
  );
}

const completeTool: HttpModelRequest['tools'][number] = {
  name: 'complete_task',
  description: 'Ends the conversation when there is nothing left to do.',
  parameters: { type: 'object', properties: { summary: { type: 'string' } }, required: ['summary'] },
};

/** Turns until somebody answers in words or completes the task; who spoke, and the last reply. */
export function handOn(
  team: Team,
  start: string,
  answers?: (call: string, args: JsonObject) => string,
): { path: string[]; reply: HttpModelReply } {
  const path = [start];
  for (;;) {
    const name = path.at(-1) ?? '';
    const reply = team.turn(name, answers);
    const [, to] = reply.calls?.map((call) => /^transfer_to_(.+)$/.exec(call.name)).find(Boolean) ?? [];
    if (to === undefined || path.length > 20) return { path, reply };
    path.push(to);
  }
}

export interface Choice {
  speaker?: string;
  done?: boolean;
  reason?: string;
}

export function chooseSpeaker(team: Team, candidates = team.names, mayEnd = true): Choice {
  const question = `Choose who speaks next.${mayEnd ? ' Or say that the conversation has come to its end.' : ''}\n${team.describe(candidates)}`;
  return team.ask<Choice>({ instructions: 'You lead the conversation.' }, 'chair', question, {
    type: 'object',
    properties: {
      ...(mayEnd && { done: { type: 'boolean', description: 'Whether the conversation has come to its end.' } }),
      speaker: { enum: [...candidates, ...(mayEnd ? [''] : [])] },
      reason: { type: 'string' },
    },
    required: mayEnd ? ['done'] : ['speaker'],
  });
}

/** Turns until the chair says that it is over. */
export function chat(team: Team): string[] {
  const path: string[] = [];
  for (;;) {
    const { done, speaker = '' } = chooseSpeaker(
      team,
      team.names.filter((name) => name !== path.at(-1)),
    );
    if (done || path.length > 20) return path;
    team.turn(speaker);
    path.push(speaker);
  }
}

type Entries = 'is_request_satisfied' | 'is_in_loop' | 'is_progress_being_made';
export type Ledger = { [key in Entries]: { reason: string; answer: boolean } } & {
  [key in 'next_speaker' | 'instruction_or_question']: { reason: string; answer: string };
};

/** A manager over a team, asked in the words of a run. */
export class Managed {
  facts = '';
  plan = '';

  constructor(readonly team: Team) {}

  write(name: keyof typeof magenticPrompts, words: { [word: string]: string } = {}): string {
    const schema = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
    return this.team.ask<{ text: string }>(standardManager, 'manager', this.fill(name, words), schema).text;
  }

  makePlan(): this {
    this.facts = this.write('facts');
    this.plan = this.write('plan');
    return this;
  }

  tell(): this {
    this.team.hear(this.fill('ledger'));
    return this;
  }

  judge(): Ledger {
    const entry = (type: string) => ({
      type: 'object',
      properties: { reason: { type: 'string' }, answer: { type } },
      required: ['reason', 'answer'],
    });
    const { names } = this.team;
    const speaker = {
      ...entry('string'),
      properties: { reason: { type: 'string' }, answer: { type: 'string', description: `One of: ${names.join(', ')}` } },
    };
    const [yes, text] = [entry('boolean'), entry('string')];
    const properties = {
      is_request_satisfied: yes,
      is_in_loop: yes,
      is_progress_being_made: yes,
      next_speaker: speaker,
      instruction_or_question: text,
    };
    return this.team.ask<Ledger>(standardManager, 'manager', this.fill('progress'), {
      type: 'object',
      properties,
      required: Object.keys(properties),
    });
  }

  /** Rounds until the manager is satisfied: who spoke. */
  work(): string[] {
    const path: string[] = [];
    for (;;) {
      const { is_request_satisfied: satisfied, next_speaker: next, instruction_or_question: instruction } = this.judge();
      if (satisfied.answer || path.length > 20) return path;
      this.team.hear(instruction.answer, { to: [next.answer, 'manager'] });
      this.team.turn(next.answer);
      path.push(next.answer);
    }
  }

  answer(name: 'finalAnswer' | 'partialAnswer' = 'finalAnswer'): string {
    this.team.members.manager = standardManager;
    const text = this.team.hear(this.fill(name), { to: ['manager'] }).reply('manager').text ?? '';
    delete this.team.members.manager;
    return text;
  }

  private fill(name: keyof typeof magenticPrompts, more: { [word: string]: string } = {}): string {
    const { team, facts, plan } = this;
    const words: { [word: string]: string } = { team: team.describe(), names: team.names.join(', '), facts, plan, ...more };
    return magenticPrompts[name].replace(/\{(\w+)\}/g, (whole, word: string) => words[word] ?? whole);
  }
}
