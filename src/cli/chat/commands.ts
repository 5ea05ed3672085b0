/** What a person may type instead of an answer. */
export const chatCommands = {
  help: 'what can be typed here',
  requests: 'what waits for an answer, also what was skipped or is for others',
  skip: 'leave the question on the screen to somebody else',
  status: 'where the run is',
  cancel: 'end the run after the turn in flight',
  quit: 'leave; the run goes on (also Ctrl-C and Ctrl-D)',
} as const;

export type ChatCommand = keyof typeof chatCommands;

export const chatHelp = [
  ...Object.entries(chatCommands).map(([name, what]) => `  /${name.padEnd(10)} ${what}`),
  '  //…         says a text that begins with a slash',
  '  …\\          a backslash at the end of a line: it goes on in the next one',
].join('\n');

/** `/sk` is enough for `skip`, unless it is one of the choices of an answer. `undefined`: it is no command. */
export function commandIn(line: string, choices: readonly string[] = []): ChatCommand | undefined {
  const [, word = ''] = /^\s*\/([a-z]+)\s*$/.exec(line) ?? [];
  if (word === '') return undefined;
  const names = Object.keys(chatCommands) as ChatCommand[];
  const exact = names.find((name) => name === word);
  const near = choices.includes(word) ? [] : names.filter((name) => name.startsWith(word));
  return exact ?? (near.length === 1 ? near[0] : undefined);
}
