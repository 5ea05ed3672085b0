/** What a tool still needs is asked for, and found in the answer. */
import { argumentsFor, isNamedIn, objectOf, spaced, type OfferedTool } from './deciding.js';
import type { Line } from './talk.js';

const shape = /^Before I can use ([\w.-]+), tell me: which (.+)\?$/;

/** The question for the first argument of a tool that is called for by its name. */
export function questionFor(tools: OfferedTool[], ask: string, document: string): string | undefined {
  for (const { name, parameters } of tools.filter((tool) => isNamedIn(tool, ask))) {
    const required = Array.isArray(parameters['required']) ? parameters['required'] : [];
    const missing = required.find((one) => typeof one === 'string' && !argumentsFor(only(parameters, one), ask, document));
    if (typeof missing === 'string') return `Before I can use ${name}, tell me: which ${spaced(missing).toLowerCase()}?`;
  }
  return undefined;
}

/** An answer to such a question completes what was asked before it. */
export function completedAsk(lines: Line[], ask: string): string {
  const words = lines.filter(({ kind, text }) => kind === 'words' && text !== '');
  const parts: string[] = [];
  for (let at = words.length - 1; at >= 2; at -= 2) {
    const [, , argument = ''] = (words[at - 1]?.isOwn && shape.exec(words[at - 1]?.text ?? '')) || [];
    const answer = words[at]?.text.replace(/^(?:it is|it['’]s|in|to|from|for|the)\s+/i, '').replace(/[.!]+$/, '') ?? '';
    if (argument === '' || words[at]?.isOwn) break;
    parts.unshift(answer.split(/\s+/).length > 3 ? answer : `${argument}: "${answer}"`);
    if (!(words[at - 3]?.isOwn && shape.test(words[at - 3]?.text ?? ''))) return [words[at - 2]?.text ?? '', ...parts].join('\n');
  }
  return ask;
}

function only(parameters: OfferedTool['parameters'], name: string): OfferedTool['parameters'] {
  return { ...parameters, properties: { [name]: objectOf(parameters['properties'])[name] ?? {} }, required: [name] };
}
