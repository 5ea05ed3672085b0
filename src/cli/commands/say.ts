import { untilSomebodyWorks, withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { RunHandle, SessionHandle } from '../../client.js';
import { agentNamePattern } from '../../contract/agent.js';
import { fail, failureOf, failures, type FailureType } from '../../contract/failure.js';
import { sizes } from '../../contract/size.js';
import type { Context } from '../context.js';
import { openPlaceOrStart } from '../local.js';
import { id, span, withProjectOption, type ProjectOptions } from '../options.js';
import type { Place } from '../place.js';
import { loadProject } from '../project.js';
import { duration } from '../render/words.js';
import { readTextFile } from '../read-text.js';
import { printable } from '../terminal.js';

interface SayOptions extends ProjectOptions {
  session?: string;
  conversation?: string;
  id?: string;
  file?: string;
  timeout?: string;
}

/** `ostinato say`: one turn of a conversation. */
export function addSay(cli: Cli): void {
  withProjectOption(
    cli
      .command('say <who> [words...]', 'Say something to an agent or a run, and print the reply. Opens the session when there is none.')
      .option('--session <key>', 'which conversation with this agent (default: default)', id)
      .option('--conversation <run>', 'when it opens: go on with the conversation of an earlier run', id)
      .option('--id <id>', 'of the message: the same id again is the same turn', id)
      .option('--file <path>', 'a text that the message is about')
      .option('--timeout <span>', 'wait no longer than this for the reply; the turn goes on', span),
  )
    .addHelpText('after', '\nExamples:\n  ostinato say writer "A haiku about tea."\n  ostinato say session/writer/default "Another one."')
    .action(cli.action(say));
}

async function say(context: Context, who: string, words: string[], options: SayOptions) {
  const { terminal, machine, signal } = context;
  const message = await messageOf(words, options, machine);
  // The project is asked for only where the worker has to be this process.
  let endsWithUs = false;
  const place = await openPlaceOrStart(context, () => {
    endsWithUs = true;
    return loadProject(machine.cwd, options.config);
  });
  const handle = await listener(place, who, options);
  await untilSomebodyWorks(context, place);
  context.onInterrupt(
    endsWithUs
      ? `Stopped. The worker ended with this command, so the turn waits. It goes on with:  ${context.next('dev')}`
      : `Stopped waiting; the turn goes on. Read it later with:  ${context.next('transcript', handle.id)}`,
  );

  let shown = '';
  const startedAt = Date.now();
  const pulse = setInterval(
    () => shown === '' && !terminal.json && terminal.hint(`Waiting for ${who} (${duration(Date.now() - startedAt)})`),
    1000,
  );
  const reply = handle.say(message, {
    ...(options.id && { id: options.id }),
    ...(options.timeout && { timeout: options.timeout }),
    onDelta: (text) => {
      if (signal.aborted) return;
      shown += text;
      terminal.write(printable(text));
    },
  });
  const turn = await withAbsenceNoted(
    context,
    place,
    reply.catch((error: unknown) => whyClosed(error, handle)),
  ).finally(() => clearInterval(pulse));
  // Words that come on the way are a courtesy: some may be missing, or have been said twice.
  if (turn.reply.startsWith(shown)) terminal.write(printable(turn.reply.slice(shown.length)));
  else terminal.write(`\n\n${printable(turn.reply)}`);
  terminal.endLine();
  terminal.note(terminal.noteStyle.dim(`${handle.id} · ${duration(Date.now() - startedAt)}`));
  terminal.document({ runId: handle.id, turnId: turn.turnId, status: turn.status, reply: turn.reply });
}

async function messageOf(words: string[], { file }: SayOptions, machine: Context['machine']): Promise<string> {
  const said = words.join(' ').trim();
  const text = file === undefined ? undefined : await readTextFile(file, machine, sizes.message);
  const message = [said, text].filter(Boolean).join('\n\n');
  if (message === '')
    throw fail('Input.Invalid', 'There is nothing to say. Write the message behind the name, such as: ostinato say writer "Hello."');
  return message;
}

/** `session/writer/tea`, a run that is open under this id, or else an agent. */
async function listener(place: Place, who: string, { session: key, conversation }: SayOptions): Promise<SessionHandle | RunHandle> {
  const input = conversation === undefined ? {} : { conversation };
  const [, agent, ownKey] = /^session\/([^/]+)\/(.+)$/.exec(who) ?? [];
  if (agent !== undefined && ownKey !== undefined && agentNamePattern.test(agent)) {
    if (key !== undefined && key !== ownKey) throw fail('Input.Invalid', `"${who}" names a session already; leave --session out.`);
    return place.client.session(agent, ownKey, input);
  }
  if (key === undefined && (!agentNamePattern.test(who) || (await place.find(who))?.isOpen)) return place.client.attach(who);
  return place.client.session(who, key ?? 'default', input);
}

/** A session that could not begin ends before it answers: its own failure says more. */
async function whyClosed(error: unknown, handle: RunHandle): Promise<never> {
  const { failure } = failureOf(error).type === 'Run.Closed' ? await handle.status() : {};
  throw failure && failure.type in failures ? fail(failure.type as FailureType, failure.message) : error;
}
