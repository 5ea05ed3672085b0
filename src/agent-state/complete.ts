/**
 * A document that has been checked, as everybody can read it: .NET refuses a whole document for one member that is missing or of the
 * wrong type, so what it needs is filled in, and nulls are left out where the contract has none. Nothing else is touched.
 */
import { textOfJson } from './write-text.js';
import { asCount } from './count.js';
import type { AgentStateDocument, ExactJson } from './document.js';
import { ExactNumber } from './exact-number.js';
import { kinds } from './kinds.js';
import { isObject, type Members } from './members.js';

/** Nobody wrote down when it was. */
const noTime = '1970-01-01T00:00:00+00:00';

export function complete(root: Members): AgentStateDocument {
  const data = root['data'] as Members;
  let before = noTime;
  const conversationHistory = ((data['conversationHistory'] ?? []) as Members[]).map((raw) => {
    const entry = completeEntry(raw, before);
    if (typeof entry['createdAt'] === 'string') before = entry['createdAt'];
    return entry;
  });
  return { ...root, data: { ...data, conversationHistory } } as never;
}

function completeEntry(raw: Members, before: string): Members {
  const isRequest = raw['$type'] === 'request';
  if (!isRequest && raw['$type'] !== 'response') return typeFirst(raw);
  // .NET writes `orchestrationId` and `responseType` as null itself: those stay.
  const entry = withoutNulls(raw, ['correlationId', 'createdAt', 'messages', isRequest ? 'responseSchema' : 'usage']);
  const messages = ((entry['messages'] ?? []) as Members[]).map(completeMessage);
  const first = messages.find((message) => message['createdAt'] !== undefined);
  return typeFirst({
    ...withDefaults(entry, { correlationId: '', createdAt: first?.['createdAt'] ?? before }),
    messages,
    ...(!isRequest && entry['usage'] !== undefined && { usage: completeUsage(entry['usage'] as Members) }),
  });
}

function completeMessage(raw: Members): Members {
  const message = withoutNulls(raw, ['authorName', 'createdAt', 'contents']);
  return { ...message, contents: ((message['contents'] ?? []) as Members[]).map(completeContent) };
}

function completeContent(raw: Members): Members {
  const kind = raw['$type'] as string;
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (known === undefined) return typeFirst(raw);
  const content = typeFirst(withDefaults(withoutNulls(raw, Object.keys(known)), known));
  const { arguments: given, details, usage } = content;
  // Python writes whatever JSON the model gave, and reads what is no object under this name.
  if (kind === 'functionCall' && (!isObject(given) || given instanceof ExactNumber)) return { ...content, arguments: { raw: given } };
  if (kind === 'error' && details !== undefined && typeof details !== 'string')
    return { ...content, details: textOfJson(details as ExactJson) };
  if (kind === 'usage') return { ...content, usage: completeUsage(usage as Members) };
  return content;
}

function completeUsage(raw: Members): Members {
  const counts = ['inputTokenCount', 'outputTokenCount', 'totalTokenCount'];
  const usage = withoutNulls(raw, counts);
  const known = counts.filter((name) => Object.hasOwn(usage, name));
  return { ...usage, ...Object.fromEntries(known.map((name) => [name, asCount(usage[name] as number | ExactNumber)])) };
}

function withoutNulls(object: Members, known: readonly string[]): Members {
  if (!known.some((name) => object[name] === null)) return object;
  return Object.fromEntries(Object.entries(object).filter(([name, value]) => value !== null || !known.includes(name)));
}

/** With what is missing, at the end. */
function withDefaults(object: Members, defaults: Members): Members {
  const missing = Object.entries(defaults).filter(([name, value]) => value !== undefined && !Object.hasOwn(object, name));
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

function typeFirst({ $type, ...members }: Members): Members {
  return { $type, ...members };
}
