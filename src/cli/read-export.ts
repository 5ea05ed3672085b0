/** What `export` gave, as it is handed over: from a file or from standard input. */
import { fail, failureOf } from '../contract/failure.js';
import type { Machine } from './context.js';
import { readStandardInput, readTextFile } from './read-text.js';

/** Bytes. The client bounds the characters; this bounds what is held in memory before. */
const mostBytes = 512 * 1024 * 1024;

/** @throws `Input.Invalid` · `Input.TooLarge` · `State.Unreadable` for what is no export at all */
export async function readExport(file: string, machine: Pick<Machine, 'cwd' | 'stdin'>): Promise<string> {
  const subject = file === '-' ? 'Standard input' : `"${file}"`;
  try {
    return file === '-' ? await readStandardInput(machine, mostBytes) : await readTextFile(file, machine, mostBytes);
  } catch (error) {
    const { type, message } = failureOf(error);
    if (type === 'Input.TooLarge') throw fail(type, `${subject} has more than ${mostBytes / 2 ** 20} MiB, and is no export of ours.`);
    if (/is not text|is empty/.test(message)) throw fail('Input.Invalid', `${subject} is not what \`ostinato export\` gives.`);
    throw error;
  }
}
