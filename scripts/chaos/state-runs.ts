/** Sessions that are saved, put back, forked and loaded, whatever is killed meanwhile. Each branch has to hold what was said to it. */
import { randomUUID } from 'node:crypto';
import type { RunHandle } from '../../src/client.js';
import { failureOf } from '../../src/contract/failure.js';
import { commandsOf, type CommandStatus } from '../../src/contract/snapshot.js';
import { checkBranch } from './check-branch.js';
import { Dice } from './dice.js';
import { keeper } from './keeper.js';
import type { Said, Work } from './work.js';
import type { World } from './world.js';

/** A run, and what it must have become. */
export interface Branch {
  run: RunHandle;
  /** What its transcript has to hold, in order. */
  said: Said[];
  /** All that was ever said to it. */
  sent: Said[];
  /** Snapshots of its conversation that it can be put back to. */
  kept: Kept[];
  /** How many snapshots of each kind have to be on its list. */
  expected: { asked: number; fork: number; rollback: number };
}

interface Kept {
  id: string;
  said: Said[];
}

const policy = { every: 2, keep: 3 };
/** Each session takes so many of these, in an order of chance. */
const stepsOfOne = 4;
const steps = ['save', 'save in a turn', 'put back', 'put back in a turn', 'fork', 'fork what was kept', 'load'] as const;

export class StateRuns {
  readonly #branches: Branch[] = [];
  readonly #dice: Dice;
  #sessions = 0;

  constructor(
    private readonly world: World,
    private readonly work: Work,
    seed: number,
  ) {
    this.#dice = new Dice(seed);
  }

  get count(): number {
    return this.#branches.length;
  }

  /** `brief`: only as much as it takes to read and write snapshots. */
  async begin(key: string, { brief = false } = {}): Promise<void> {
    const place = `state-${key}-${(this.#sessions += 1)}`;
    const dice = new Dice(this.#dice.between(0, 1e9));
    const branch = this.#open(this.world.client.session(keeper, place, { snapshots: policy }));
    const own = [branch];
    try {
      await this.#say(branch, dice);
      await this.#save(branch);
      for (const step of brief ? (['load', 'put back'] as const) : dice.shuffled(steps).slice(0, stepsOfOne)) {
        const other = await this.#take(step, branch, dice, `${place}-${own.length}`);
        if (other) own.push(other);
        await Promise.all([this.#say(branch, dice), ...(other ? [this.#goOn(other, dice)] : [])]);
      }
    } finally {
      // Whatever has gone wrong: what is checked has to have ended.
      await Promise.all(own.map(async ({ run }) => await this.work.end({ run })));
    }
  }

  async check(): Promise<{ problems: string[]; snapshots: number }> {
    const problems: string[] = [];
    let snapshots = 0;
    for (const branch of this.#branches) {
      const checked = await checkBranch(this.world, branch, policy.keep);
      problems.push(...checked.problems.map((problem) => `${branch.run.id}: ${problem}`));
      snapshots += checked.snapshots;
    }
    return { problems, snapshots };
  }

  #open(run: RunHandle, said: Said[] = []): Branch {
    const branch = { run, said: [...said], sent: [...said], kept: [], expected: { asked: 0, fork: 0, rollback: 0 } };
    this.#branches.push(branch);
    return branch;
  }

  /** Returns the other branch, where there is one now. */
  async #take(step: (typeof steps)[number], branch: Branch, dice: Dice, id: string): Promise<Branch | undefined> {
    const kept = dice.pick(branch.kept);
    if (step === 'save' || step === 'save in a turn') {
      const pending = step === 'save in a turn' ? await this.#send(branch, dice) : undefined;
      await this.#save(branch);
      if (pending) await this.#outcome(branch, pending);
    } else if (step === 'put back' || step === 'put back in a turn') {
      await this.#putBack(branch, kept, step === 'put back in a turn' ? await this.#send(branch, dice) : undefined);
    } else if (step === 'load') {
      return this.#open(await this.#load(kept.id, id), kept.said);
    } else {
      const isOfNow = step === 'fork';
      await this.#command(branch, 'fork', { as: id, ...(!isOfNow && { snapshotId: kept.id }) });
      if (isOfNow) branch.expected.fork += 1;
      return this.#open(this.world.client.attach(id), isOfNow ? branch.said : kept.said);
    }
    return undefined;
  }

  /** It is spoken to and saved at once, while it may still be loading. */
  async #goOn(branch: Branch, dice: Dice): Promise<void> {
    const message = await this.#send(branch, dice);
    await this.#save(branch);
    await this.#outcome(branch, message);
    await this.#say(branch, dice);
  }

  async #say(branch: Branch, dice: Dice): Promise<void> {
    const message = await this.#send(branch, dice);
    const status = await this.#outcome(branch, message);
    if (status !== 'completed') throw new Error(`"${message.id}" is ${status}.`);
  }

  /** Until it is accepted. */
  async #send(branch: Branch, dice: Dice): Promise<Said> {
    const id = `${branch.run.id}-${branch.sent.length + 1}`;
    const message = { id, sender: 'driver', text: `${dice.pick(['note', 'say', 'say'])} ${id}` };
    branch.said.push(message);
    branch.sent.push(message);
    await this.work.deliver(branch.run, message, branch.sent.length > 1 && dice.roll() < 0.3, dice);
    return message;
  }

  async #outcome({ run }: Branch, { id }: Said): Promise<string> {
    return await this.work.insist(async () => {
      const { status, failure } = await run.turn(id);
      if (status === 'completed') return status;
      if (status === 'failed') return failure?.type ?? status;
      throw new Error(`"${id}" is ${status}.`);
    });
  }

  async #save(branch: Branch): Promise<void> {
    const said = [...branch.said];
    const { snapshotId } = await this.#command(branch, 'save', { label: `${branch.sent.length} said` });
    branch.expected.asked += 1;
    branch.kept.push({ id: snapshotId as string, said });
  }

  /** What waits stays, and what is being answered is undone with the rest. */
  async #putBack(branch: Branch, { id, said }: Kept, pending: Said | undefined): Promise<void> {
    await this.#command(branch, 'rollback', { snapshotId: id });
    branch.expected.rollback += 1;
    const stays = pending && (await this.#outcome(branch, pending)) === 'completed';
    branch.said = stays ? [...said, pending] : [...said];
  }

  async #load(snapshotId: string, id: string): Promise<RunHandle> {
    return await this.work.insist(async () => {
      try {
        return await this.world.client.load(snapshotId, { id });
      } catch (error) {
        if (failureOf(error).type === 'Run.AlreadyExists') return this.world.client.attach(id);
        throw error;
      }
    });
  }

  /** Asked for under one id, until it is accepted, and then waited for. */
  async #command({ run }: Branch, kind: CommandStatus['kind'], input: object): Promise<CommandStatus> {
    const id = randomUUID();
    const handle = this.world.temporal.workflow.getHandle(run.id);
    await this.work.insist(() =>
      this.world.temporal.withDeadline(Date.now() + 20_000, () => handle.executeUpdate(kind, { args: [input], updateId: id })),
    );
    const command = await this.work.insist(async () => {
      const found = commandsOf(await run.status()).find((one) => one.id === id);
      if (!found || found.status === 'pending')
        throw new Error(`${kind} of "${run.id}" was accepted, and is ${found?.status ?? 'forgotten'}.`);
      return found;
    });
    if (command.failure) throw new Error(`${kind} of "${run.id}" has failed: ${command.failure.message}`);
    return command;
  }
}
