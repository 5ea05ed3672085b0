/** Agents that are used as tools: asked when the request, or else the instructions, call for them; their answers become the reply. */
import type { JsonObject } from '../../contract/json.js';
import { mentions, objectOf, type OfferedTool } from './deciding.js';
import { fitsOf } from './fitting.js';
import type { Intent } from './intent.js';
import { shorten, type Length } from './writing.js';

/** The longest request that is passed on, in characters. */
const mostPassedOn = 50_000;

export function delegateOf({ name, parameters }: OfferedTool): string | undefined {
  const [, agent] = /^ask_(.+)$/.exec(name) ?? [];
  return agent !== undefined && 'message' in objectOf(parameters['properties']) ? agent : undefined;
}

/** Each of them once. `request` is the whole of it, `ask` what is asked in it. */
export function delegations(
  tools: OfferedTool[],
  request: string,
  ask: string,
  instructions: string,
): { name: string; arguments: JsonObject }[] {
  const message = request.slice(0, mostPassedOn).trim();
  const delegates = tools.flatMap((tool) => {
    const agent = delegateOf(tool);
    return agent === undefined ? [] : [{ tool, agent }];
  });
  if (message === '' || delegates.length === 0) return [];
  const options = delegates.map(({ tool, agent }) => ({
    name: agent,
    about: tool.description.replace(/^Asks \S+, and returns the answer\./, ''),
  }));
  const fitting = fitsOf(options, ask || message).map(({ score }) => score > 0);
  const told = delegates.map(({ tool, agent }) => [tool.name, agent].some((name) => mentions(instructions, name)));
  const asked = fitting.includes(true) ? fitting : told;
  return delegates.filter((_, index) => asked[index]).map(({ tool }) => ({ name: tool.name, arguments: { message } }));
}

/** What they said, one after another, or in short where the instructions want it so. */
export function answerWith(results: { tool: string; text: string }[], intent: Intent | undefined, length: Length): string {
  const said = results.map(({ text }) => text.trim());
  if (intent === 'shorten') return shorten(said.join('\n\n'), length);
  if (results.length === 1) return said[0] ?? '';
  return results.map(({ tool }, index) => `**${tool.replace(/^ask_/, '')}:** ${said[index]}`).join('\n\n');
}
