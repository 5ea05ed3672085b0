/** Where in a run, and the runs nested in it, something happens; and by which id the run that is watched knows what is asked there. */
import type { EventTypes } from '../../contract/event.js';

interface Nested {
  name: string;
  operationId: string;
  /** The run that has started it; empty: the run that is watched. */
  above: string;
}

export class Where {
  readonly #nested = new Map<string, Nested>();

  starts({ nestedRunId, operationId }: EventTypes['nested.started'], name: string, above: string): void {
    this.#nested.set(nestedRunId, { name, operationId, above });
  }

  /** `desk › shipping`: the members from the outside to the inside, and whoever speaks there. */
  label(run: string, agent?: string): string {
    const names = this.#names(run);
    // An agent that is used as a tool is a run of its own, with itself in it.
    return [...names, ...(agent !== undefined && agent !== names.at(-1) ? [agent] : [])].join(' › ');
  }

  /** The id that an answer given at the top names; `undefined` when it is not known how the runs hang together. */
  requestId(run: string, id: string): string | undefined {
    if (run === '') return id;
    const nested = this.#nested.get(run);
    return nested && this.requestId(nested.above, `${nested.operationId}~${id}`);
  }

  isWithin(inner: string, outer: string): boolean {
    if (inner === '') return false;
    if (outer === '') return true;
    const above = this.#nested.get(inner)?.above ?? '';
    return above === outer || this.isWithin(above, outer);
  }

  /** The runs that this member's turns are. */
  runsOf(name: string, above: string): string[] {
    return [...this.#nested].filter(([, nested]) => nested.name === name && nested.above === above).map(([run]) => run);
  }

  /** Whoever begins to watch later may not know how a nested run was started: then the end of its id has to do. */
  #names(run: string): string[] {
    if (run === '') return [];
    const nested = this.#nested.get(run);
    return nested ? [...this.#names(nested.above), nested.name] : [run.split('/').at(-1) ?? run];
  }
}
