/** Runs of every pattern. One of each is left in peace; all others have to come to the same, whatever is killed meanwhile. */
import type { RunHandle } from '../../src/client.js';
import { textOf } from '../../src/contract/message.js';
import type { RunInput, RunResult } from '../../src/index.js';
import { historyOf } from './history.js';
import { teams } from './teams.js';
import type { Work } from './work.js';
import type { World } from './world.js';

/** What a run comes to. */
interface Outcome {
  result: RunResult | undefined;
  said: string[];
  /** Model calls and others that the server accepted, nested runs included. */
  finished: number;
}

export class TeamRuns {
  readonly #peaceful = new Map<string, Outcome>();
  readonly #runs: { pattern: string; run: RunHandle }[] = [];

  constructor(
    private readonly world: World,
    private readonly work: Work,
  ) {}

  get count(): number {
    return this.#runs.length;
  }

  /** Before anything is killed. */
  async inPeace(): Promise<void> {
    for (const pattern of Object.keys(teams)) {
      const run = await this.work.runPattern(pattern, `peace-${pattern}`, documentOf(pattern));
      this.#peaceful.set(pattern, (await this.#outcomeOf(run)).outcome);
    }
  }

  async begin(id: string): Promise<void> {
    const pattern = Object.keys(teams)[this.#runs.length % Object.keys(teams).length] as string;
    const place = this.#runs.length;
    this.#runs.push({ pattern, run: this.world.client.attach(`${id}-${pattern}`) });
    this.#runs[place]!.run = await this.work.runPattern(pattern, `${id}-${pattern}`, documentOf(pattern));
  }

  async check(): Promise<{ problems: string[]; finished: number }> {
    const problems: string[] = [];
    let finished = 0;
    for (const { pattern, run } of this.#runs) {
      const { outcome, problems: found } = await this.#outcomeOf(run);
      const expected = this.#peaceful.get(pattern) as Outcome;
      const differs = (Object.keys(expected) as (keyof Outcome)[]).filter(
        (part) => JSON.stringify(outcome[part]) !== JSON.stringify(expected[part]),
      );
      problems.push(...found.map((problem) => `${run.id}: ${problem}`));
      problems.push(
        ...differs.map(
          (part) => `${run.id}: ${part} is ${JSON.stringify(outcome[part])}, in peace it was ${JSON.stringify(expected[part])}.`,
        ),
      );
      finished += outcome.finished;
    }
    return { problems, finished };
  }

  async #outcomeOf(run: RunHandle): Promise<{ outcome: Outcome; problems: string[] }> {
    const { result, firstRunId } = await run.status();
    const said = (await run.transcript()).map(({ message }) => textOf(message)).sort();
    const histories = [await historyOf(this.world.temporal, run.id, firstRunId)];
    const nested = new Set<string>();
    let ends = 0;
    for await (const event of run.watch()) {
      if (event.type === 'nested.started') nested.add(event.nestedRunId);
      if (event.type === 'run.finished' && event.nested === undefined) ends += 1;
    }
    for (const id of nested) {
      const { firstRunId: first } = await this.world.client.attach(id).status();
      histories.push(await historyOf(this.world.temporal, id, first));
    }
    const finished = histories.reduce((sum, history) => sum + history.finished.size, 0);
    const problems = histories.flatMap((history) => history.problems);
    if (ends !== 1) problems.push(`watchers were told ${ends} times of its end.`);
    return { outcome: { result, said, finished }, problems };
  }
}

function documentOf(pattern: string): RunInput {
  return { ...teams[pattern], task: `A task for ${pattern}.` } as RunInput;
}
