/** Texts that are handed over: files, standard input. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail } from '../contract/failure.js';
import { sizes } from '../contract/size.js';
import type { Machine } from './context.js';

/**
 * The text of a file.
 *
 * @throws `Input.Invalid` when it cannot be read or is not text · `Input.TooLarge`
 */
export async function readTextFile(path: string, { cwd }: Pick<Machine, 'cwd'>, most: number = sizes.input): Promise<string> {
  const file = resolve(cwd, path);
  let bytes: Buffer;
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw fail('Input.Invalid', `"${path}" is a directory. Name a file in it.`);
    if (found.size > most) throw tooLarge(`"${path}"`, found.size, most);
    bytes = await readFile(file);
  } catch (error) {
    if ((error as { type?: unknown }).type !== undefined) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be read by you' : message;
    throw fail('Input.Invalid', `"${path}" cannot be read: ${reason}. Correct the path and try again.`);
  }
  return asText(bytes, `"${path}"`);
}

/** @throws `Input.Invalid` when it is not text · `Input.TooLarge` */
export async function readStandardInput({ stdin }: Pick<Machine, 'stdin'>, most: number = sizes.input): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    size += chunk.length;
    if (size > most) throw tooLarge('Standard input', size, most);
  }
  return asText(Buffer.concat(chunks), 'Standard input');
}

function asText(bytes: Buffer, subject: string): string {
  let text: string | undefined;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Said below.
  }
  if (text === undefined || text.includes('\u0000')) {
    throw fail('Input.Invalid', `${subject} is not text in UTF-8. Turn it into plain text or Markdown first.`);
  }
  if (text.trim() === '') throw fail('Input.Invalid', `${subject} is empty.`);
  return text;
}

function tooLarge(subject: string, bytes: number, most: number) {
  const message = `${subject} has ${bytes.toLocaleString('en-US')} bytes; at most ${most.toLocaleString('en-US')} can be sent. Shorten it, or let an agent read it with a tool.`;
  return fail('Input.TooLarge', message);
}
