/** One world for all tests of a file: a worker is started once, and each test has lines of its own, told apart by the model's name. */
import type { AgentDefinition } from '../../src/contract/agent.js';
import { openWorld, type World, type WorldOptions } from './world.js';
import type { ScriptedCall, ScriptLine, ScriptPart } from '../../src/testing/scripted-model.js';

export interface Stage extends AsyncDisposable {
  world: World;
  /** An agent, inline, whose model says these lines and nothing else. */
  actor(script: ScriptPart, definition?: Partial<AgentDefinition>): Actor;
}

export interface Actor {
  agent: AgentDefinition;
  /** What its model was asked so far. */
  calls: ScriptedCall[];
}

export async function openStage(options: Omit<WorldOptions, 'script'>): Promise<Stage> {
  const parts = new Map<string, { calls: ScriptedCall[]; next: (call: ScriptedCall) => ScriptLine | undefined }>();
  const script: ScriptPart = async (call) => {
    const part = parts.get(call.model);
    part?.calls.push(call);
    const line = part?.next(call) ?? { status: 400, body: { error: { message: `No line is left for "${call.model}".` } } };
    return typeof line === 'function' ? await line(call) : line;
  };
  const world = await openWorld({ ...options, script });
  return {
    world,
    actor(lines, definition = {}) {
      const name = definition.name ?? 'actor';
      const model = `${name}-${parts.size}`;
      const left = typeof lines === 'function' ? undefined : [...lines];
      const calls: ScriptedCall[] = [];
      parts.set(model, { calls, next: () => (left ? left.shift() : (lines as ScriptLine)) });
      return { agent: { instructions: 'Act.', ...definition, name, model }, calls };
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
