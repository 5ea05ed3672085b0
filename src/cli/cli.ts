/** One run of the command: from its arguments to its exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { fail } from '../contract/failure.js';
import { commands } from './commands/index.js';
import type { Context, Machine } from './context.js';
import { execute } from './execute.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { withSharedOptions, type SharedOptions } from './options.js';
import { reportFailure } from './report.js';
import { Terminal } from './terminal.js';

/** What a command does. Returns its exit code, 0 when it returns nothing. */
export type Work<Args extends unknown[]> = (context: Context, ...args: Args) => Promise<ExitCode | void>;

/** How the files of `commands/` add theirs. */
export interface Cli {
  command(nameAndArguments: string, description: string): Command;
  action<Args extends unknown[]>(work: Work<Args>): (...args: unknown[]) => Promise<void>;
}

/** Never throws: what goes wrong becomes one message and an exit code. */
export async function runCli(argv: readonly string[], machine: Machine): Promise<ExitCode> {
  const colours = !machine.env.NO_COLOR && machine.env.TERM !== 'dumb';
  const streams = { out: machine.out, err: machine.err, colours };
  const program = createProgram(new Terminal(streams));
  let exitCode: ExitCode = exitCodes.ok;
  const cli: Cli = {
    command: (nameAndArguments, description) => withSharedOptions(program.command(nameAndArguments).description(description)),
    action:
      <Args extends unknown[]>(work: Work<Args>) =>
      async (...all: unknown[]) => {
        // Commander hands over the arguments, then the options, then the command.
        const args = all.slice(0, -1) as Args;
        const options = args.at(-1) as SharedOptions;
        const terminal = new Terminal({ ...streams, json: options.json });
        exitCode = await execute({ machine, terminal, options, work: (context) => work(context, ...args) });
      },
  };
  for (const add of commands) add(cli);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.ok;
    if (error.code === 'commander.help') return exitCodes.badInput;
    const terminal = new Terminal({ ...streams, json: argv.includes('--json') });
    return reportFailure(fail('Input.Invalid', usageMessage(error, argv, program)), terminal, machine.env);
  }
}

function createProgram(terminal: Terminal): Command {
  return new Command('ostinato')
    .description('Multi-agent orchestrations with persistent state, on Temporal.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      // Said once, by us.
      outputError: () => undefined,
    })
    .addHelpText(
      'after',
      '\nTry it:\n  ostinato demo                          three agents work on a document; nothing to configure\n' +
        '  ostinato dev                           a Temporal server and a worker for your project\n' +
        '  ostinato say editor "Hello."           a conversation that stays open\n\nSettings are environment variables; see docs/cli.md.',
    );
}

/** `error: unknown command 'statsu'\n(Did you mean status?)` → one sentence after the other. */
function usageMessage(error: CommanderError, argv: readonly string[], program: Command): string {
  const text = error.message.replace(/^error: /, '').replace(/\n\(([^)]*)\)$/, '. $1');
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/([^.?!])$/, '$1.');
  const known = program.commands.find((command) => command.name() === argv[0]);
  return `${sentence} See \`ostinato ${known ? `${known.name()} ` : ''}--help\`.`;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
