/** How large things may be, in bytes of UTF-8 JSON, and why. Temporal refuses 2 MiB, sometimes by ending the workflow. */
export const sizes = {
  /** A whole run input, a message from outside: half of what the server takes. */
  input: 1024 * 1024,
  /** One message said to a run: several must fit into a continue-as-new input. */
  message: 256 * 1024,
  /** All messages that wait. */
  inbox: 512 * 1024,
  /** An entry larger than this travels as a preview; the whole is in the store. */
  entry: 64 * 1024,
  /** New messages sent along with a model call; beyond it the activity reads them from the run. */
  delta: 32 * 1024,
  /** Entries this small are sent as they are, larger ones by their hash. */
  inlineEntry: 1024,
  /** The tail is sealed into a segment beyond this. */
  segment: 256 * 1024,
  /** The tail that may ride along on continue-as-new. */
  carriedTail: 64 * 1024,
  /** A run that sleeps. */
  sleeper: 16 * 1024,
  /** One page of a query. */
  page: 512 * 1024,
  /** What a preview keeps of a text. */
  preview: 2 * 1024,
  /** All definitions of a team. */
  team: 256 * 1024,
} as const;

/** Bytes of a value as JSON in UTF-8, without TextEncoder: the sandbox runs this. */
export function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  return text === undefined ? 0 : utf8Bytes(text);
}

export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
