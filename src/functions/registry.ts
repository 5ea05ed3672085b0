/** The functions that a worker offers, by name. */
import { agentNamePattern } from '../contract/agent.js';
import { problemsFailure, show, type Problem } from '../contract/problems.js';
import type { RegisteredFunction } from './define-function.js';

export interface FunctionRegistry {
  get(name: string): RegisteredFunction | undefined;
  names(): string[];
  /** Registers one more, or says why not. The same function again is no problem. `path` is where it was found. */
  offer(given: RegisteredFunction, path: string): Problem[];
}

/**
 * Registers functions.
 *
 * @throws `Input.Invalid` with every problem
 */
export function createFunctionRegistry(functions: readonly RegisteredFunction[]): FunctionRegistry {
  const known = new Map<string, { given: RegisteredFunction; path: string }>();
  const offer = (given: RegisteredFunction, path: string): Problem[] => {
    if (typeof given !== 'object' || given === null)
      return [{ path, message: `must be a function made with defineFunction, not ${show(given)}` }];
    const { name, run } = given as { name: unknown; run: unknown };
    const problems: Problem[] = [];
    if (typeof name !== 'string' || !agentNamePattern.test(name))
      problems.push({
        path: `${path}.name`,
        message: `must be a letter, then letters, digits, _ or -, at most 64 characters, not ${show(name)}`,
      });
    if (typeof run !== 'function') problems.push({ path: `${path}.run`, message: `must be a function, not ${show(run)}` });
    if (problems.length > 0) return problems;
    const taken = known.get(given.name);
    if (taken && taken.given !== given)
      return [{ path: `${path}.name`, message: `${show(name)} is the name of another function, ${taken.path}; rename one of them` }];
    if (!taken) known.set(given.name, { given, path });
    return [];
  };
  const problems = functions.flatMap((given, i) => offer(given, `functions[${i}]`));
  if (problems.length > 0) throw problemsFailure('The registration of functions', problems);
  return { get: (name) => known.get(name)?.given, names: () => [...known.keys()], offer };
}
