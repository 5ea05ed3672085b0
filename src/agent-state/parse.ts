import { distinct, pathText, show, type Problem } from '../contract/problems.js';
import { problemsOfDocument } from './check.js';
import { complete } from './complete.js';
import { copyValue } from './copy-value.js';
import type { AgentStateDocument } from './document.js';
import { isObject, type Members } from './members.js';
import { readText } from './read-text.js';
import { refusal } from './refuse.js';

/**
 * Reads a durable-agent-entity-state of any 1.x, written by .NET, by Python or here: its text, or what `JSON.parse` made of it. What
 * it does not know is kept; what is wrong is refused in one failure, `State.Unreadable`, that lists all of it.
 *
 * @example
 * const state = parseAgentState(text);
 * state.data.conversationHistory.length;
 * const sameText = serializeAgentState(state);
 */
export function parseAgentState(input: string | unknown): AgentStateDocument {
  return checked(typeof input === 'string' ? readText(input) : copyValue(input));
}

/** Checks JSON that nobody else holds, and completes it. */
export function checked(root: unknown): AgentStateDocument {
  checkVersion(root);
  renameLegacyTypes(root);
  const problems = distinct(problemsOfDocument(root));
  if (problems.length > 0) throw refusal(problems);
  return complete(root as Members);
}

/** Of another major version nothing else can be said. */
function checkVersion(root: unknown): void {
  const version = isObject(root) ? root['schemaVersion'] : undefined;
  const [, major] = (typeof version === 'string' && /^(\d+)\.\d+\.\d+$/.exec(version)) || [];
  if (major === undefined || Number(major) === 1) return;
  const problem: Problem = { path: pathText(['schemaVersion']), message: `must be 1.x, not ${show(version)}` };
  throw refusal([problem], Number(major) > 1 ? 'State.Newer' : 'State.Unreadable');
}

/** Old releases of Python wrote the kind of an entry as `json_type`, and new ones read it. */
function renameLegacyTypes(root: unknown): void {
  const data = isObject(root) && root['data'];
  const history = isObject(data) && data['conversationHistory'];
  if (!Array.isArray(history)) return;
  history.forEach((entry: unknown, i) => {
    if (!isObject(entry) || (entry['$type'] ?? null) !== null || !Object.hasOwn(entry, 'json_type')) return;
    const { json_type: $type, ...members } = entry;
    history[i] = { ...members, $type };
  });
}
