/** The work that goes on meanwhile: runs, sessions, and people who say something by update or by signal until it is accepted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OstinatoClient, RunHandle } from '../../src/client.js';
import { failureOf } from '../../src/contract/failure.js';
import type { RunInput } from '../../src/index.js';
import type { Dice } from './dice.js';
import { planned } from './model.js';
import type { World } from './world.js';

export interface Said {
  id: string;
  sender: string;
  text: string;
}

/** One run and everything that was said to it. */
export interface Job {
  run: RunHandle;
  pattern: 'sequential' | 'session';
  said: Said[];
}

export interface WorkOptions {
  /** A sender who tries again uses another id: to prove that a check can fail. */
  forgetsIds: boolean;
}

const tools = ['note', 'post'];
const agents = ['a', 'b', 'c'].map((name) => ({ name, instructions: `You are ${name}.`, model: name, tools }));
const guide = { name: 'guide', instructions: 'Help.', model: 'guide', tools };
const rounds = ['note', 'post', 'note+post', 'note+note'];

/** Most of what somebody does may fail while a server or all workers are gone. It is done again, the same way. */
const patienceMs = 180_000;

export class Work {
  /** How often somebody sent a message, the same ones again included. */
  sent = 0;

  constructor(
    private readonly world: World,
    private readonly dice: Dice,
    private readonly options: WorkOptions,
  ) {}

  async runSequential(id: string, { large = false } = {}): Promise<Job> {
    const text = planned(id, this.#plan()) + 'lorem ipsum '.repeat(large ? 25_000 : 0);
    const run = await this.runPattern('sequential', id, { agents, task: text });
    return { run, pattern: 'sequential', said: [{ id, sender: 'task', text }] };
  }

  /** Starts it, once, and returns when it has ended. */
  async runPattern(pattern: string, id: string, input: RunInput): Promise<RunHandle> {
    const run = await this.insist(async () => {
      const isThere = await this.world.temporal.workflow
        .getHandle(id)
        .describe()
        .then(
          () => true,
          (error: Error) => error.name !== 'WorkflowNotFoundError' && Promise.reject(error),
        );
      return isThere ? this.client.attach(id) : await this.client.start(pattern, input, { id });
    });
    await this.#untilEnded(run);
    return run;
  }

  openSession(key: string): Job {
    return { run: this.client.session(guide, key), pattern: 'session', said: [] };
  }

  /** Several people talk at once; each waits until one message is accepted before the next. Returns when all are answered. */
  async talk({ run, said }: Job, senders: string[], count: number): Promise<void> {
    const mine: Said[] = [];
    await Promise.all(
      senders.map(async (sender, i) => {
        for (let n = 1; n <= count; n++) {
          const id = `${run.id}-${sender}-${n}`;
          const message = { id, sender, text: planned(id, this.#plan()) };
          mine.push(message);
          said.push(message);
          // A signal needs a session that is open: the first word is an update.
          await this.deliver(run, message, i > 0 && n > 1 && this.dice.roll() < 0.5);
          await sleep(this.dice.between(0, 1500));
        }
      }),
    );
    for (const { id } of mine) {
      await this.insist(async () => {
        const { status } = await run.turn(id);
        if (status !== 'completed') throw new Error(`"${id}" is ${status}.`);
      });
    }
  }

  async end({ run }: Pick<Job, 'run'>): Promise<void> {
    await this.insist(() => run.cancel());
    await this.#untilEnded(run);
  }

  get client(): OstinatoClient {
    return this.world.client;
  }

  #plan(): string[] {
    return Array.from({ length: this.dice.pick([0, 0, 1, 1, 2]) }, () => this.dice.pick(rounds));
  }

  /** Again and again until it is accepted; now and then once more, as one who never heard that it was. */
  async deliver(run: RunHandle, message: Said, bySignal: boolean, dice = this.dice): Promise<void> {
    await this.insist(async () => {
      this.sent += 1;
      await this.#send(run, message, bySignal);
    });
    if (dice.roll() > 0.2) return;
    const id = this.options.forgetsIds ? `${message.id}-again` : message.id;
    await this.insist(async () => {
      this.sent += 1;
      await this.#send(run, { ...message, id }, dice.roll() < 0.5);
    });
  }

  async #send(run: RunHandle, { id, text }: Said, bySignal: boolean): Promise<void> {
    if (bySignal) await this.world.temporal.workflow.getHandle(run.id).signal('say', { message: text, id });
    else await run.send(text, id);
  }

  async #untilEnded(run: RunHandle): Promise<void> {
    await this.insist(async () => {
      const { result, failure } = await run.status();
      if (!result) throw new Error(`"${run.id}" goes on${failure ? `, or rather: ${failure.message}` : ''}.`);
    });
  }

  /** Again and again, the same way, until it works. */
  async insist<T>(attempt: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const { type } = failureOf(error);
        if (Date.now() > deadline || type === 'Input.Invalid' || type === 'Run.NotConversational') throw error;
        await sleep(500);
      }
    }
  }
}
