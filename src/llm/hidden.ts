/** What must not leave the worker in an error message: keys, and the conversation. Messages end up in histories and logs. */

export interface Hidden {
  secrets?: readonly string[];
  prompt?: () => string;
}

const maxWords = 300;
/** As long as this, an equal stretch is a quotation and no coincidence. */
const quoted = 24;

/** Text before a key that stays, and the key. */
const secretShapes = [
  /()\b(?:sk|pk|rk|gsk|xai|api|key)[-_](?=[\w*.-]*[\d*])[\w*.-]{6,}/g,
  /()\bAIza[\w-]{10,}/g,
  /(\b(?:Bearer|Basic)\s+)[^\s"',;]+/gi,
  /(api[-_ ]?key(?: provided)?\s*[:=]\s*)[^\s"',;]+/gi,
  /()[^\s"']*\*{3,}[^\s"']*/g,
];

/** A provider's words, fit for a message: short, on one line, without keys and without what was asked. */
export function readableWords(words: string, hidden: Hidden = {}): string {
  let text = words;
  for (const secret of hidden.secrets ?? []) if (secret.length >= 4) text = text.replaceAll(secret, '[key]');
  for (const shape of secretShapes) text = text.replace(shape, '$1[key]');
  if (/^\s*</.test(text)) text = text.replace(/<(style|script)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' ');
  text = text.replace(/\s+/g, ' ').trim();
  const short = text.length > maxWords ? `${text.slice(0, maxWords)}…` : text;
  return short.length < quoted || !hidden.prompt ? short : withoutQuotes(short, unescaped(hidden.prompt()));
}

/** Leaves out every stretch of `text` that is also in `prompt`. */
function withoutQuotes(text: string, prompt: string): string {
  let kept = '';
  for (let i = 0; i < text.length;) {
    let length = quoted;
    if (i + length > text.length || !prompt.includes(text.slice(i, i + length))) {
      kept += text[i++];
      continue;
    }
    while (i + length < text.length && prompt.includes(text.slice(i, i + length + 1))) length++;
    kept += '[…]';
    i += length;
  }
  return kept;
}

/** JSON as the words that it stands for. */
function unescaped(json: string): string {
  return json.replace(/\\[nrt]|\s+/g, ' ').replace(/\\(["\\])/g, '$1');
}
