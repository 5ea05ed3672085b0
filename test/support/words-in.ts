import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Those of the words that stand anywhere in the files of an embedded store. */
export async function wordsIn(dataDir: string, words: string[]): Promise<string[]> {
  const files = (await readdir(dataDir)).filter((file) => file.startsWith('store.db'));
  const contents = await Promise.all(files.map((file) => readFile(join(dataDir, file))));
  return words.filter((word) => contents.some((content) => content.includes(word)));
}
