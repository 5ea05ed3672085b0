import type { Cli } from '../cli.js';
import { Chat } from '../chat/chat.js';
import { openKeyboard } from '../chat/keyboard.js';
import { partnerOf } from '../chat/partner.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { openPlaceOrStart } from '../local.js';
import { id, withProjectOption, type ProjectOptions } from '../options.js';
import { loadProject } from '../project.js';

interface ChatCommandOptions extends ProjectOptions {
  key: string;
  by?: string;
}

/** `ostinato chat`: a conversation with an agent or an orchestration. */
export function addChat(cli: Cli): void {
  withProjectOption(
    cli
      .command(
        'chat <who> [message...]',
        'Talk to an agent, an orchestration or a run, and answer what it asks. Come back with the same command.',
      )
      .option('--key <key>', 'which conversation with it', id, 'default')
      .option('--by <name>', 'who answers; what is for others alone is not asked then'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  ostinato chat writer\n  ostinato chat support --key anna --by anna "Where is my order?"\n' +
        "  printf 'A haiku about tea.\\nAnother one.\\n' | ostinato chat writer",
    )
    .action(cli.action(chat));
}

async function chat(context: Context, who: string, words: string[], options: ChatCommandOptions): Promise<ExitCode> {
  const { terminal, machine } = context;
  const project = await loadProject(machine.cwd, options.config);
  let endsWithUs = false;
  const place = await openPlaceOrStart(context, async () => {
    endsWithUs = true;
    return project;
  });
  const partner = await partnerOf(place, project, who, options.key);
  const keyboard = openKeyboard(machine, terminal);
  context.defer(async () => keyboard.close());
  // To leave is the good end of it.
  void context.untilInterrupted();
  const message = words.join(' ').trim();
  const exitCode = await new Chat({ context, place, partner, keyboard, by: options.by }).talk(message === '' ? undefined : message);
  keyboard.close();
  const again = context.next('chat', who, ...wordsOf(options));
  terminal.endLine();
  terminal.note(
    terminal.noteStyle.dim(
      endsWithUs
        ? `The worker ends with this command, and what is not done waits. Come back with:  ${again}`
        : `What was begun goes on. Come back with:  ${again}`,
    ),
  );
  return keyboard.isScreen ? 0 : exitCode;
}

function wordsOf({ key, by, config }: ChatCommandOptions): string[] {
  return [
    ...(key === 'default' ? [] : ['--key', key]),
    ...(by === undefined ? [] : ['--by', by]),
    ...(config === undefined ? [] : ['--config', config]),
  ];
}
