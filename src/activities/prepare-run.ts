/** A document becomes everything that a run keeps from its start: members, staff, nested runs, options with names instead of agents. */
import type { AgentDefinition, Member, OrchestrationMember, RecordedAgent, TeamDocument, TeamMember } from '../contract/agent.js';
import type { AgentRegistry } from '../agents/registry.js';
import { fail, failureOf } from '../contract/failure.js';
import { readRunInput } from '../contract/input-schema.js';
import type { JsonObject, Span } from '../contract/json.js';
import { standardManager } from '../contract/magentic-prompts.js';
import { patterns, type AgentReference, type PatternName, type PatternOptions } from '../contract/pattern.js';
import { hint, problemsFailure, show, type Problem } from '../contract/problems.js';
import type { InputShape, RunInput } from '../contract/run.js';
import { sizes, utf8Bytes } from '../contract/size.js';
import type { PreparedOutput, PreparedRun, RunSettings } from '../contract/step.js';
import type { FunctionRegistry } from '../functions/registry.js';
import type { ModelProviders } from '../llm/provider.js';
import type { Store } from '../store/store.js';
import type { ToolRegistry } from '../tools/registry.js';
import { toolsOf } from './agent-tools.js';
import { controlsOf, problemsOfMoves, type Speaker } from './controls.js';
import { functionsIn } from './functions-in.js';
import { inMilliseconds } from './limits.js';
import { placesOf } from './places.js';
import { compactionOf, descriptionOf, recordAgent, type ResolvedModel } from './record-agent.js';

export interface PrepareDeps {
  agents: AgentRegistry;
  tools: ToolRegistry;
  functions: FunctionRegistry;
  providers: ModelProviders;
  settings: RunSettings;
  /** Of sessions whose agent and options do not say. @default never */
  expireAfter?: Span | undefined;
  store: Store;
}

/** Orchestrations within orchestrations. */
const deepest = 8;

/** The task queue on which the calls to a provider with `maxCallsPerSecond` are rationed. */
export function modelQueue(taskQueue: string, provider: string): string {
  return `${taskQueue}-model-${provider}`;
}

/** Names that nobody here has registered are added to `problems`; then what is returned must not be used. */
export async function prepareRun(pattern: string, document: RunInput, deps: PrepareDeps, problems: Problem[]): Promise<PreparedRun> {
  return await new Preparation(deps, problems, []).run(pattern, document, '');
}

export interface Prepared {
  member: TeamMember;
  recorded?: RecordedAgent;
  handoffs?: string[];
  expireAfter?: Span | null;
  /** How an orchestration's task becomes messages. */
  input?: InputShape | undefined;
}

class Preparation {
  constructor(
    private readonly deps: PrepareDeps,
    private readonly problems: Problem[],
    /** What this is inside of, outermost first. */
    private readonly chain: readonly { name: string }[],
  ) {}

  async run(pattern: string, document: RunInput, at: string): Promise<PreparedRun> {
    const options = structuredClone(document.options ?? {}) as JsonObject;
    const team: Prepared[] = [];
    for (const [i, agent] of (document.agents ?? []).entries()) team.push(...(await this.member(agent, `${at}agents[${i}]`)));
    await this.staff(pattern, options, team, at);
    const output = await this.output(document.output, team, at);
    if (pattern === 'handoff') this.equip(team, options, at);
    if (pattern === 'session') this.settle(team, options);
    this.functions(pattern, document, options, at);
    const recorded = team.flatMap((prepared) => prepared.recorded ?? []);
    const id = await this.put({ agents: recorded });
    return {
      pattern,
      team: { id, members: team.map(({ member }) => member) },
      limits: inMilliseconds(document.limits),
      options,
      ...(document.termination && { termination: document.termination }),
      ...(document.input && { input: document.input }),
      ...(output && { output }),
      settings: this.deps.settings,
    };
  }

  private async member(member: Member, path: string): Promise<Prepared[]> {
    const { agents } = this.deps;
    if (typeof member !== 'string' && 'pattern' in member) return await this.orchestration(member, path);
    const definition = typeof member === 'string' ? agents.agent(member) : member;
    if (definition) return await this.agent(definition, path);
    const orchestration = agents.orchestration(String(member));
    if (orchestration) return await this.orchestration(orchestration as OrchestrationMember, path);
    const known = [...agents.agentNames(), ...agents.orchestrationNames()];
    this.unknown(path, `no agent is called ${show(member)} here; ${hint(String(member), known)}`);
    return [];
  }

  private async agent(definition: AgentDefinition, path: string): Promise<Prepared[]> {
    const model = this.model(definition.model, `${path}.model`);
    const { tools, delegates, approvals, questions } = await toolsOf(definition, path, {
      tools: this.deps.tools,
      asMember: (reference, at) => ('agent' in reference ? this.asRun(reference.agent, at) : this.member(reference.orchestration, at)),
      needsFunction: (name, at) => this.function(name, at),
      unknown: (at, message) => this.unknown(at, message),
    });
    if (!model) return [];
    const at = `${path}.compaction`;
    const { compaction, summarizer } = compactionOf(definition, model, (name) => this.model(name, `${at}.summary.model`));
    if (compaction && 'function' in compaction) this.function(compaction.function, `${at}.function`);
    const summaryQueue = this.queueOf(summarizer);
    const queue = this.queueOf(model);
    const recorded = recordAgent(definition, {
      model: `${model.providerName}/${model.model}`,
      tools,
      ...(compaction && { compaction }),
      ...(approvals && { approvals }),
      ...(questions && { questions }),
    });
    const { name, maxToolRounds, review } = recorded;
    const member: TeamMember = {
      name,
      description: descriptionOf(definition),
      maxToolRounds,
      ...(queue !== undefined && { modelQueue: queue }),
      ...(summaryQueue !== undefined && { summaryQueue }),
      ...(Object.keys(delegates).length > 0 && { delegates }),
      ...(questions && { questions }),
      ...(review && { review }),
    };
    const { handoffs, expireAfter } = definition;
    return [{ member, recorded, ...(handoffs && { handoffs }), ...(expireAfter !== undefined && { expireAfter }) }];
  }

  private model(model: string | undefined, path: string) {
    try {
      return this.deps.providers.resolve(model);
    } catch (error) {
      this.unknown(path, failureOf(error).message);
      return undefined;
    }
  }

  /** Where the calls of a model are rationed. */
  private queueOf(model: ResolvedModel | undefined): string | undefined {
    if (model?.entry.maxCallsPerSecond === undefined) return undefined;
    return modelQueue(this.deps.store.environment.taskQueue, model.providerName);
  }

  /** An agent that is used as a tool speaks once, in a run of its own. */
  private async asRun(agent: AgentReference, path: string): Promise<Prepared[]> {
    const definition = typeof agent === 'string' ? this.deps.agents.agent(agent) : agent;
    if (!definition) {
      this.unknown(path, `no agent is called ${show(agent)} here; ${hint(String(agent), this.deps.agents.agentNames())}`);
      return [];
    }
    const { name } = definition;
    const description = descriptionOf(definition);
    return await this.orchestration({ name, description, pattern: 'sequential', agents: [definition] }, path, definition);
  }

  private async orchestration(member: OrchestrationMember, path: string, definition: { name: string } = member): Promise<Prepared[]> {
    const { name, description, pattern, ...document } = member;
    const chain = [...this.chain, definition];
    const way = chain.map((inside) => inside.name).join(' → ');
    if (this.chain.includes(definition)) {
      this.unknown(path, `is inside of itself: ${way}`);
      return [];
    }
    if (this.chain.length >= deepest) {
      this.unknown(path, `is more than ${deepest} levels deep: ${way}`);
      return [];
    }
    if (patterns[pattern].task === 'optional') {
      this.unknown(path, `a ${pattern} waits to be spoken to and has no end of its own; use another pattern`);
      return [];
    }
    const { input, problems } = readRunInput(pattern, { ...document, task: 'from outside' }, { taskKept: true });
    if (!input) throw problemsFailure(`The orchestration ${show(name)}`, problems);
    const { task: _, ...given } = input;
    const inside = new Preparation(this.deps, this.problems, chain);
    const prepared = await this.put(await inside.run(pattern, given, `${path}.`));
    const about = description ?? patterns[pattern].description;
    return [{ member: { name, description: about, maxToolRounds: 0, nested: { name, pattern, prepared } }, input: given.input }];
  }

  /** Agents in options become members of staff, and their places hold names. */
  private async staff(pattern: string, options: JsonObject, team: Prepared[], at: string): Promise<void> {
    const dish = Object.hasOwn(patterns, pattern) ? patterns[pattern as PatternName] : undefined;
    if (pattern === 'magentic' && options.manager === undefined) options.manager = { agent: { ...standardManager } };
    for (const place of (dish?.staff ?? []).flatMap((path) => placesOf(options, path, `${at}options`))) {
      place.replace(await this.employ(place.value as AgentReference, team, place.path));
    }
  }

  /** Whoever takes turns may have an office as well. */
  private async employ(agent: AgentReference, team: Prepared[], path: string): Promise<string> {
    if (typeof agent === 'string' && team.some(({ member }) => member.name === agent && !member.nested)) return agent;
    const definition = typeof agent === 'string' ? this.deps.agents.agent(agent) : agent;
    if (!definition) {
      this.unknown(path, `no agent is called ${show(agent)} here; ${hint(String(agent), this.deps.agents.agentNames())}`);
      return String(agent);
    }
    const taken = new Set(team.map(({ member }) => member.name.toLowerCase()));
    let name = definition.name;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${definition.name}-${n}`;
    for (const { member, ...prepared } of await this.agent({ ...definition, name }, path)) {
      team.push({ ...prepared, member: { ...member, staff: true } });
    }
    return name;
  }

  private async output(shape: RunInput['output'], team: Prepared[], at: string): Promise<PreparedOutput | undefined> {
    if (!shape) return undefined;
    const { schema, from, agent = standardEditor, transform } = shape;
    const asked = from === 'conversation' ? { agent: await this.employ(agent, team, `${at}output.agent`) } : {};
    return { ...(schema && { schema }), ...(transform !== undefined && { transform }), ...asked };
  }

  private equip(team: Prepared[], options: PatternOptions['handoff'], at: string): void {
    // Staff take no turns: nobody hands over to them.
    const members = team.filter(({ member }) => !member.staff);
    const speakers = members.map(({ member: { name, description = '' }, recorded, handoffs }): Speaker => ({
      name,
      description,
      ...(handoffs && { handoffs }),
      tools: recorded?.tools.map((tool) => tool.name) ?? [],
    }));
    const moves = controlsOf(speakers, options);
    for (const { path, message } of problemsOfMoves(speakers, moves)) this.unknown(`${at}${path}`, message);
    for (const { member, recorded } of members) {
      const { controls, tools } = moves.get(member.name) ?? {};
      // An orchestration makes no moves: its turn is its answer.
      if (!recorded || !controls || !tools) continue;
      member.controls = controls;
      recorded.tools = [...recorded.tools, ...tools];
    }
  }

  /** Of the time to its end, `null`, which is never, counts as said. */
  private settle([agent]: Prepared[], options: JsonObject): void {
    options.whilePending ??= 'reject';
    if (options.expireAfter !== undefined) return;
    const expireAfter = agent?.expireAfter === undefined ? this.deps.expireAfter : agent.expireAfter;
    if (expireAfter !== undefined) options.expireAfter = expireAfter;
  }

  private functions(pattern: string, document: RunInput, options: JsonObject, at: string): void {
    for (const { path, name } of functionsIn(pattern, document, options, at)) this.function(name, path);
  }

  private function(name: string, path: string): void {
    const { functions } = this.deps;
    if (!functions.get(name)) this.unknown(path, `no function is called ${show(name)} here; ${hint(name, functions.names())}`);
  }

  private async put(value: TeamDocument | PreparedRun): Promise<string> {
    const text = JSON.stringify(value);
    const bytes = utf8Bytes(text);
    if (bytes <= sizes.team) return await this.deps.store.blobs.put(text);
    const message = `The definitions of these agents have ${bytes} bytes, tools included; at most ${sizes.team} can be recorded.`;
    throw fail('Input.TooLarge', `${message} Shorten their instructions, or give long texts to them as a task or by a tool.`);
  }

  private unknown(path: string, message: string): void {
    this.problems.push({ path, message });
  }
}

/** Who is asked for the output when nobody is named. */
const standardEditor = { name: 'editor-of-results', instructions: 'You put the results of conversations into the form that is asked for.' };
