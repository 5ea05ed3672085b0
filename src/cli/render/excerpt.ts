/** The end of a conversation, shortly: for whoever comes back to it. */
import type { Entry } from '../../contract/transcript.js';
import { textOf } from '../../contract/message.js';
import { printable, type Style } from '../terminal.js';
import { count, short } from './words.js';

/** Messages, and characters of each. */
const shown = 6;
const longest = 300;

export interface Excerpt {
  /** Empty when nothing was said. */
  text: string;
  /** The last message, and whether all of it is in the excerpt. */
  last: { text: string; isWhole: boolean };
}

export function excerptOf(entries: readonly Entry[], style: Style): Excerpt {
  const said = entries.flatMap(({ message }) => {
    const text = textOf(message).trim();
    return text === '' ? [] : [{ text, line: short(text, longest), who: message.authorName ?? message.role }];
  });
  const earlier = said.length - shown;
  const lines = said.slice(-shown).map(({ who, line }) => `${style.bold(style.cyan(printable(who)))}  ${printable(line)}`);
  const last = said.at(-1);
  return {
    text: [...(earlier > 0 ? [style.dim(`… ${count(earlier, 'message')} before`)] : []), ...lines].join('\n'),
    last: { text: last?.text ?? '', isWhole: last !== undefined && last.line === last.text },
  };
}
