/** The menu: every pattern, what it is for, and its options. Client, CLI and worker are driven from it. */
export interface PatternOptions {
  /** No options of its own yet. */
  sequential: { [option: string]: never };
  session: { [option: string]: never };
}

export type PatternName = keyof PatternOptions;

interface Dish {
  /** One line for a menu. */
  description: string;
  /** How many agents it takes. */
  agents: { min: number; max: number };
  /** Does it need a task to start? */
  task: 'required' | 'optional';
}

export const patterns: { [P in PatternName]: Dish } = {
  sequential: {
    description: 'Agents speak one after another; each hears everything said before it.',
    agents: { min: 1, max: 100 },
    task: 'required',
  },
  session: {
    description: 'One agent, many turns: a conversation that stays open.',
    agents: { min: 1, max: 1 },
    task: 'optional',
  },
};

export const patternNames = Object.keys(patterns) as PatternName[];
