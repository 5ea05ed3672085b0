import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';
import { transcriptText } from '../render/transcript.js';

/** `ostinato transcript`: everything said in a run. */
export function addTranscript(cli: Cli): void {
  cli.command('transcript <run>', 'Everything said in a run, tools included.').action(cli.action(transcript));
}

async function transcript(context: Context, id: string) {
  const { terminal } = context;
  const place = await openPlace(context);
  const entries = await withAbsenceNoted(context, place, place.client.attach(id).transcript());
  if (entries.length > 0) terminal.line(transcriptText(entries, terminal.style));
  else terminal.note('Nothing has been said yet.');
  terminal.document({ runId: id, entries });
}
