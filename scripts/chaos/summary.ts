/** The outcome as a table, for the terminal and for docs/chaos.md. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Counts } from './check.js';

export interface Summary {
  seed: number;
  rounds: number;
  seconds: number;
  /** By kind: how often it was done, and how many processes were killed by it. */
  losses: Map<string, { times: number; workers: number; servers: number }>;
  runs: number;
  /** Of every pattern, nested ones among them, and the steps in them that the server accepted. */
  teamRuns: number;
  teamCalls: number;
  /** Sessions that were saved, put back, forked or loaded, and the snapshots of theirs that are listed. */
  branches: number;
  snapshots: number;
  /** Requests that the model received. */
  asked: number;
  /** How often a message was sent, the same ones again included. */
  sent: number;
  counts: Counts;
  problems: string[];
}

export function summaryOf(summary: Summary): string {
  const { seed, rounds, seconds, losses, runs, teamRuns, teamCalls, branches, snapshots, sent, asked, counts, problems } = summary;
  const all = [...losses.values()];
  const workers = all.reduce((sum, one) => sum + one.workers, 0);
  const servers = all.reduce((sum, one) => sum + one.servers, 0);
  return [
    ...table(
      ['', ''],
      [
        ['Seed', seed],
        ['Rounds', rounds],
        ['Time', `${seconds} s`],
        ['Processes killed by `kill -9`', `${workers + servers}: ${workers} workers, ${servers} times the Temporal server`],
        ['Runs', runs],
        ['… continued as new', `${counts.continuations} times`],
        ['Runs of all patterns, nested ones among them', teamRuns],
        ['… model calls, tool calls and functions finished in them', teamCalls],
        ['Sessions that were saved, put back, forked and loaded', branches],
        ['… their snapshots, each of them whole', snapshots],
        ['Messages to sessions', counts.messages],
        ['… sendings: each until it was accepted, and some once more', sent],
        ['Model calls finished (accepted by the server)', counts.finished],
        ['Requests that the model received', asked],
        ['… whose answers were lost with their workers, and asked for again', counts.unfinished],
        ['… made late by a worker that had been paused', counts.late],
        ['Tool calls', counts.toolCalls],
        ['… repeated with the same key, because their outcome was lost', counts.toolRepeats],
        ['**Violations**', `**${problems.length}**`],
      ],
    ),
    '',
    ...table(
      ['What was lost', 'times', 'workers killed', 'servers killed'],
      [...losses].map(([kind, { times, workers, servers }]) => [kind, times, workers, servers]),
    ),
  ].join('\n');
}

export async function writeSummary(summary: Summary): Promise<void> {
  const text = `# Chaos

\`npm run test:chaos\` kills workers and the Temporal server with \`kill -9\`, at random and at every kind of step, while sequential runs,
runs of every other pattern and conversations with tools go on, conversations are saved, put back, forked and loaded, and people say
things by update and by signal. Afterwards it compares every run with what the model
was asked, what the tools did, and what the server has in its histories:

- every message that was sent is in the transcript once, in its sender's order, and was answered by one turn;
- of all answers to one question exactly one counts, and nobody asks again after the server has accepted it;
- every attempt at a step hears the same, and that is what the transcript says;
- one effect for each idempotency key; a tool that must not be repeated is begun once, and when nobody knows its outcome the model is told;
- no step is begun twice by a run, no workflow task fails;
- a run of any pattern, nested runs included, comes to the same result, by the same words and the same number of steps, as one that was
  left in peace;
- a session that is saved, put back, forked or loaded holds in each branch what was said to that branch, answered once; each command is
  done once; every snapshot that is listed can be exported, so it is whole;
- watchers are told everything once, and the words they put together are those of the model.

A model call is finished when the server has accepted its completion. An answer that a worker had not yet reported when it was killed is
lost with it and asked for again: the table counts these apart. Seeds decide on plans and on the order of kills, not on the moment in
which they fall, so no two runs are the same. That the checks notice what they look for can be seen with \`--break keys\` (tools ignore
their idempotency keys), \`--break calls\` (workers ask the model again after it has answered) and \`--break ids\` (senders use a new id
when they send again).

## The last recorded run

${summaryOf(summary)}
`;
  await writeFile(fileURLToPath(new URL('../../docs/chaos.md', import.meta.url)), text);
}

function table(head: string[], rows: (string | number)[][]): string[] {
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
