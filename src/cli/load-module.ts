/** Loads a module of the project, TypeScript included. */
import { dirname, join, relative } from 'node:path';
import { createJiti } from 'jiti';
import { fail } from '../contract/failure.js';

/**
 * What the module exports.
 *
 * @param from paths in messages are relative to this directory
 * @throws `Input.Invalid` with the place of what is wrong in it
 */
export async function loadModule(file: string, from: string): Promise<{ [name: string]: unknown }> {
  try {
    // Nothing is left on the disk, and what was edited a second ago is what is read.
    return await createJiti(file, { fsCache: false, interopDefault: false }).import(file);
  } catch (error) {
    const place = placeOf(error, file, from) ?? relative(from, file);
    throw fail('Input.Invalid', `${place}: ${firstLine(error)} Correct it and try again.`, { cause: error });
  }
}

/** `agents/writer.ts:12:5`: the first line of the project that the error names. */
function placeOf(error: unknown, file: string, from: string): string | undefined {
  const { stack = '', message = '' } = error instanceof Error ? error : {};
  const directory = dirname(file);
  const places = `${message}\n${stack}`.matchAll(new RegExp(`${escaped(directory)}([/\\\\][^:\\n]*:\\d+:\\d+)`, 'g'));
  const place = [...places].map(([, path = '']) => path.slice(1)).find((path) => !path.includes('node_modules'));
  return place === undefined ? undefined : join(relative(from, directory), place);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error);
  return (text.split('\n')[0] ?? '').trim().replace(/([^.!?])$/, '$1.');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
