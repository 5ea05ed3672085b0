import type { Json } from './json.js';

/** The beginning of a text, whole characters only. */
export function beginningOf(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}

/** As `beginningOf`, and says so when there was more. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const beginning = beginningOf(text, most);
  return `${beginning}… [cut: ${beginning.length} of ${text.length} characters]`;
}

/** What a value is as text: a string as it is, anything else as JSON. */
export function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
