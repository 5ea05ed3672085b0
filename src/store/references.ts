/** What a document in the store refers to. Documents name others by their ids, and nothing else has that form. */
const id = /^[0-9a-f]{32}$/;

/** What people, models and tools have said is no reference, whatever it looks like. */
const words = new Set(['message', 'contents', 'response', 'rawArguments', 'prompt', 'text', 'instructions', 'conversationHistory']);

/** Ids in a document, in no order. Some of a run's own ids look alike, and are in no store. */
export function referencesIn(document: unknown): string[] {
  const found = new Set<string>();
  for (const text of textsIn(document, words)) if (id.test(text)) found.add(text);
  return [...found];
}

/**
 * Everything that could be an id, words included: a note such as `the whole is stored as …` is a reference for whoever reads it. What is
 * taken for one by mistake only stays longer.
 */
export function mentionsIn(document: unknown): string[] {
  const found = new Set<string>();
  for (const text of textsIn(document)) for (const word of text.match(/[0-9a-f]{32,}/g) ?? []) if (id.test(word)) found.add(word);
  return [...found];
}

function* textsIn(document: unknown, without: ReadonlySet<string> = new Set()): Generator<string> {
  // Not by recursion: how deep a document is nested is up to whoever wrote it.
  const open: unknown[] = [document];
  for (let value = open.pop(); value !== undefined || open.length > 0; value = open.pop()) {
    if (typeof value === 'string') yield value;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) if (!without.has(key)) open.push(inner);
  }
}
