/** Checks of what watchers saw: each thing once, and words that put together are those of the model. */
import type { RunEvent } from '../../src/contract/event.js';
import { callsOf } from '../../src/contract/message.js';
import type { Entry } from '../../src/contract/transcript.js';
import { watchedTexts } from '../../test/support/watching.js';
import type { Reply } from './check.js';
import type { Job } from './work.js';

export function problemsOfEvents(events: RunEvent[], entries: Entry[], replies: Reply[], { said, pattern }: Job): string[] {
  const turns = [...new Set(entries.flatMap(({ turn }) => turn ?? []))];
  const texts = watchedTexts(events);
  return [
    ...once('run.started', events, () => 'run', ['run']),
    ...once('run.finished', events, () => 'run', ['run']),
    ...once('turn.started', events, ({ turn }) => String(turn), turns.map(String)),
    ...once('turn.completed', events, ({ turn }) => String(turn), turns.map(String)),
    ...(pattern === 'session'
      ? once(
          'message.received',
          events,
          (event) => messageId(event),
          said.map(({ id }) => id),
        )
      : []),
    ...(events.some(({ seq }, i) => seq !== i + 1) ? ['events are not numbered one after another.'] : []),
    ...(events.at(-1)?.type === 'run.finished' ? [] : [`the last event is ${events.at(-1)?.type}.`]),
    ...replies.flatMap(({ step, asked }) =>
      asked && asked.text !== (texts.get(step) ?? '')
        ? [`watchers of step ${step} read "${texts.get(step)?.slice(0, 60)}", not "${asked.text.slice(0, 60)}".`]
        : [],
    ),
    ...replies.flatMap(({ step, entry }) => callsOf(entry.message).flatMap((_, i) => problemsOfToolEvents(`${step}/${i}`, events))),
  ];
}

/** Events of this type tell of each of these once, and of nothing else. */
function once(type: RunEvent['type'], events: RunEvent[], about: (event: RunEvent) => string, expected: string[]): string[] {
  const told = events.filter((event) => event.type === type).map(about);
  const doubled = told.filter((what, i) => told.indexOf(what) !== i);
  const missing = expected.filter((what) => !told.includes(what));
  const strange = told.filter((what) => !expected.includes(what));
  return [
    ...doubled.map((what) => `${type} of ${what} was told twice.`),
    ...missing.map((what) => `${type} of ${what} was not told.`),
    ...strange.map((what) => `${type} of ${what} was told, and did not happen.`),
  ];
}

/** Watchers see how a call ended: by its last attempt. */
function problemsOfToolEvents(step: string, events: RunEvent[]): string[] {
  const told = events.filter((event) => event.type === 'tool.returned' && event.step === step);
  return told.length === 0 ? [`the end of tool call ${step} was not told.`] : [];
}

function messageId(event: RunEvent): string {
  return event.type === 'message.received' ? (event.messageId ?? '') : '';
}
