/** What agents have heard and said elsewhere, at the beginning of a run. */
import { problemsFailure } from '../../contract/problems.js';
import { adoptStates, stepFailure } from './activities.js';
import type { AnyRun } from './run.js';

export async function bring(run: AnyRun, states: { [agent: string]: string }): Promise<void> {
  const { state } = run;
  const agents = state.team.members.filter(({ nested }) => !nested).map(({ name }) => name);
  const strangers = Object.keys(states).filter((name) => !agents.includes(name));
  if (strangers.length > 0) {
    const problems = strangers.map((name) => ({
      path: `states.${name}`,
      message: `is no agent of this run; there are ${agents.join(', ')}`,
    }));
    throw problemsFailure('The run input', problems, 'Input.UnknownAgent');
  }
  const { head, segments, imports, said } = await run.outbox
    .along((base) =>
      adoptStates(`read what ${Object.keys(states).join(', ')} knew`.slice(0, 200))({ ...base, states, head: state.transcript.head }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'State.Unreadable', 'Reading the documents that agents bring along');
    });
  run.transcript.adopt({ segments, head });
  state.imports = imports;
  // Whoever has said it again meanwhile has had the answer already.
  const answered = new Set(said.map(({ id }) => id));
  state.inbox = state.inbox.filter(({ id }) => !answered.has(id));
  state.said = [
    ...said.map(({ id, reply }) => ({ id, status: 'completed' as const, reply })),
    ...state.said.filter(({ id }) => !answered.has(id)),
  ];
}
