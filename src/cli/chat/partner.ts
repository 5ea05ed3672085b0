/** Whom a person talks to: an agent in its session, an orchestration whose runs follow one another, or a run that is there already. */
import { createHash, randomUUID } from 'node:crypto';
import type { Orchestration } from '../../agents/define-orchestration.js';
import type { RunHandle } from '../../client.js';
import { agentNamePattern } from '../../contract/agent.js';
import { fail, failureOf } from '../../contract/failure.js';
import type { RunInput } from '../../contract/run.js';
import type { Place } from '../place.js';
import type { Project } from '../project.js';

/** A run to listen to. */
export interface Heard {
  run: RunHandle;
  isOpen: boolean;
}

/** What was said, and where its reply is to be looked for. */
export interface Said {
  run: RunHandle;
  /** `seq` in the run's log after which it is told of. */
  after: number;
  /** Of the message, where the run goes on after its reply. Absent: the run itself is the reply. */
  turnId?: string;
}

export interface Partner {
  /** `writer (session/writer/default)` */
  readonly name: string;
  /** The run that goes on, or else the last one. */
  find(): Promise<Heard | undefined>;
  /** @throws `Run.NotConversational` where the run takes no message · `Input.Invalid` and others of `send` and `start` */
  say(text: string): Promise<Said>;
}

/** By name or id. A key tells conversations with the same agent or orchestration apart. */
export async function partnerOf(place: Place, project: Project, who: string, key: string): Promise<Partner> {
  const orchestration = project.application.orchestrations?.find(({ name }) => name === who);
  if (orchestration) return new Runs(place, orchestration, key);
  const [, agent, ownKey] = /^session\/([^/]+)\/(.+)$/.exec(who) ?? [];
  if (agent !== undefined && ownKey !== undefined && agentNamePattern.test(agent)) return new Session(place, agent, ownKey);
  if (!agentNamePattern.test(who) || (await place.find(who))?.isOpen) return await existing(place, who);
  return new Session(place, who, key);
}

class Session implements Partner {
  readonly #handle;

  constructor(
    private readonly place: Place,
    agent: string,
    key: string,
  ) {
    this.#handle = place.client.session(agent, key);
  }

  get name(): string {
    return this.#handle.id;
  }

  async find(): Promise<Heard | undefined> {
    return await heard(this.place, this.#handle);
  }

  async say(text: string): Promise<Said> {
    return { run: this.#handle, ...(await this.#handle.send(text, randomUUID())) };
  }
}

/** Each message is a run, which goes on with the conversation of the one before. */
class Runs implements Partner {
  constructor(
    private readonly place: Place,
    private readonly what: Orchestration,
    private readonly key: string,
  ) {}

  get name(): string {
    return this.#prefix.slice(0, -1);
  }

  async find(): Promise<Heard | undefined> {
    const last = await this.#last();
    return last === 0 ? undefined : await heard(this.place, this.#run(last));
  }

  async say(text: string): Promise<Said> {
    for (let before = await this.#last(); ; before = Math.max(await this.#last(), before + 1)) {
      const earlier = before === 0 ? undefined : await heard(this.place, this.#run(before));
      if (earlier?.isOpen) throw fail('Run.NotConversational', `"${earlier.run.id}" has not ended. Answer what it asks, or cancel it.`);
      const input = { task: taskOf(this.what, text), ...(earlier && { conversation: earlier.run.id }) } as RunInput;
      try {
        const run = (await this.place.client.start(this.what, input, { id: `${this.#prefix}${before + 1}` })) as RunHandle;
        return { run, after: 0 };
      } catch (error) {
        // Somebody else has gone on in the same moment: then this one waits for that.
        if (failureOf(error).type !== 'Run.AlreadyExists') throw error;
      }
    }
  }

  /** Ids of Temporal have an end, and somebody has to read them. */
  get #prefix(): string {
    const key = this.key.length <= 100 ? this.key : `sha256-${createHash('sha256').update(this.key).digest('hex')}`;
    return `chat/${this.what.name}/${key}/`;
  }

  #run(number: number): RunHandle {
    return this.place.client.attach(`${this.#prefix}${number}`);
  }

  /** Number of the last run; 0 when there is none. Lists are a moment behind, and do not know what Temporal has forgotten. */
  async #last(): Promise<number> {
    let last = await this.#lastListed();
    let step = 1;
    while (await this.#isThere(last + step)) {
      last += step;
      step *= 2;
    }
    for (; step > 1; step = Math.floor(step / 2)) if (await this.#isThere(last + step)) last += step;
    return (await this.#isThere(last + 1)) ? last + 1 : last;
  }

  async #lastListed(): Promise<number> {
    const query = `WorkflowId STARTS_WITH '${this.#prefix.replaceAll("'", "''")}'`;
    let last = 0;
    try {
      for await (const { workflowId } of this.place.temporal.workflow.list({ query, pageSize: 100 })) {
        const number = Number(workflowId.slice(this.#prefix.length));
        if (Number.isSafeInteger(number)) last = Math.max(last, number);
      }
    } catch {
      // Those that are there are found one by one.
    }
    return last;
  }

  async #isThere(number: number): Promise<boolean> {
    return (await heard(this.place, this.#run(number))) !== undefined;
  }
}

/** Where a run takes messages, they are said to it; any run can be listened to, and answered. */
class Existing implements Partner {
  constructor(
    private readonly place: Place,
    private readonly run: RunHandle,
  ) {}

  get name(): string {
    return this.run.id;
  }

  async find(): Promise<Heard | undefined> {
    return await heard(this.place, this.run);
  }

  async say(text: string): Promise<Said> {
    return { run: this.run, ...(await this.run.send(text, randomUUID())) };
  }
}

async function existing(place: Place, id: string): Promise<Partner> {
  const partner = new Existing(place, place.client.attach(id));
  if (await partner.find()) return partner;
  throw fail('Run.NotFound', `There is no run "${id}" here, and no agent or orchestration can have this name.`);
}

/** `undefined`: neither Temporal nor the store knows it. */
async function heard(place: Place, run: RunHandle): Promise<Heard | undefined> {
  const found = await place.find(run.id);
  if (found) return { run, isOpen: found.isOpen };
  try {
    await run.status();
    return { run, isOpen: false };
  } catch (error) {
    if (failureOf(error).type === 'Run.NotFound') return undefined;
    throw error;
  }
}

/** Where a task has a form of its own, it may be written as JSON. */
function taskOf({ input }: Orchestration, text: string): unknown {
  if (input === undefined) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
