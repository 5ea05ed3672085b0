/** A run of every pattern with a conversation of several steps, for what must hold for all of them. */
import type { PatternName, RunInput } from '../../src/index.js';
import type { Script } from '../../src/testing/index.js';

const speaker = (name: string) => ({ name, instructions: `You are ${name}.`, model: name });
const [a, b, boss] = [speaker('a'), speaker('b'), speaker('boss')];
const ledger = (done: boolean, next: string) => {
  const entry = (answer: string | boolean) => ({ reason: 'so it is', answer });
  return JSON.stringify({
    is_request_satisfied: entry(done),
    is_in_loop: entry(false),
    is_progress_being_made: entry(true),
    next_speaker: entry(next),
    instruction_or_question: entry(`${next}, go on`),
  });
};

export interface Scene {
  input: RunInput<never>;
  script: { [model: string]: string[] };
  /** Who is asked for words, in order. */
  asked: string[];
  output: unknown;
}

/** A run of each pattern with a conversation of several steps; `session` says its words by messages instead. */
export const scenes: { [P in Exclude<PatternName, 'session'>]: Scene } = {
  sequential: {
    input: { agents: [a, { name: 'panel', pattern: 'sequential', agents: [b] }, boss] },
    script: { a: ['one'], b: ['two'], boss: ['three'] },
    asked: ['a', 'b', 'boss'],
    output: 'three',
  },
  concurrent: {
    input: { agents: [a, b], options: { aggregator: { agent: boss } } as never },
    script: { a: ['one'], b: ['two'], boss: ['both'] },
    asked: ['a', 'b', 'boss'],
    output: 'both',
  },
  routing: {
    input: { agents: [a, b], options: { classifier: { agent: boss }, routes: { first: 'a', second: 'b' } } as never },
    script: { boss: ['{"label": "second"}'], b: ['two'] },
    asked: ['boss', 'b'],
    output: 'two',
  },
  handoff: {
    input: { agents: [a, b] },
    script: { a: ['transfer_to_b'], b: ['transfer_to_a', 'two'] },
    asked: ['a', 'b', 'a', 'b'],
    output: 'two',
  },
  groupChat: {
    input: { agents: [a, b], options: { manager: { agent: boss } } as never },
    script: {
      boss: ['{"done": false, "speaker": "b"}', '{"done": false, "speaker": "a"}', '{"done": true}'],
      a: ['one'],
      b: ['two'],
    },
    asked: ['boss', 'b', 'boss', 'a', 'boss'],
    output: 'one',
  },
  magentic: {
    input: { agents: [a, b], options: { manager: { agent: boss } } as never },
    script: {
      boss: ['{"text": "facts"}', '{"text": "plan"}', ledger(false, 'a'), ledger(false, 'b'), ledger(true, 'a'), 'the answer'],
      a: ['one'],
      b: ['two'],
    },
    asked: ['boss', 'boss', 'boss', 'a', 'boss', 'b', 'boss', 'boss'],
    output: 'the answer',
  },
};
scenes.handoff.script.a?.push('transfer_to_b');

/** `transfer_to_x` is a call of that name. */
export function scriptOf(scene: Scene): Script {
  const line = (words: string) => (words.startsWith('transfer_to_') ? { calls: [{ name: words, arguments: {} }] } : words);
  return Object.fromEntries(Object.entries(scene.script).map(([model, lines]) => [model, lines.map(line)]));
}
