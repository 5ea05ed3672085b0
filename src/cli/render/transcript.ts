/** What has been said, for a person. */
import type { Content, Message } from '../../contract/message.js';
import type { Entry } from '../../contract/transcript.js';
import { printable, type Style } from '../terminal.js';
import { short } from './words.js';

export function transcriptText(entries: readonly Entry[], style: Style): string {
  return entries.map((entry) => entryText(entry, style)).join('\n\n');
}

function entryText({ message, cut, turn }: Entry, style: Style): string {
  const heading = style.bold(style.cyan(printable(speaker(message))));
  const when = [message.createdAt, turn === undefined ? undefined : `turn ${turn}`].filter(Boolean).join(', ');
  const lines = message.contents.map((content) => contentText(content, style)).filter((text) => text !== '');
  if (cut) lines.push(style.dim('… This is its beginning; --json names where the store has the whole.'));
  return [`${heading}${when && style.dim(`  ${when}`)}`, ...lines].join('\n');
}

function speaker({ authorName, role }: Message): string {
  return authorName ?? role;
}

function contentText(content: Content, style: Style): string {
  switch (content.$type) {
    case 'text':
      return printable(content.text).trimEnd();
    case 'reasoning':
      return content.text ? style.dim(`(thinks) ${printable(short(content.text, 200))}`) : '';
    case 'functionCall':
      return style.dim(`→ ${content.name} ${printable(short(JSON.stringify(content.arguments), 300))}`);
    case 'functionResult':
      return style.dim(
        `← ${printable(short(typeof content.result === 'string' ? content.result : JSON.stringify(content.result ?? null), 300))}`,
      );
    case 'error':
      return style.red(printable(content.message ?? content.errorCode ?? 'error'));
    case 'usage':
      return '';
    default:
      return style.dim(`[${content.$type}]`);
  }
}
