/** What the manager of a magentic run does: plan, have the plan reviewed, judge, answer. The order of it is in the pattern. */
import { decisionIn, planReviewSchema } from '../../contract/answers.js';
import { fail } from '../../contract/failure.js';
import type { JsonObject } from '../../contract/json.js';
import { magenticPrompts, type MagenticPrompts } from '../../contract/magentic-prompts.js';
import type { PatternOptions } from '../../contract/pattern.js';
import { show } from '../../contract/problems.js';
import type { Run } from './run.js';

export interface MagenticProgress {
  facts: string;
  plan: string;
  /** The plan has been told to the team. */
  isPlanned: boolean;
  /** The plan waits for its review. */
  isDrafted: boolean;
  revisions: number;
  /** What a person wants changed. */
  feedback: string;
  /** Why there has to be a new plan. */
  reason: string;
  /** The team hears nothing that was said before: there the plan was told. */
  from: number;
  /** The task, in short, for a team that begins anew. */
  task: string;
  round: number;
  stalls: number;
  resets: number;
  /** The facts are those after so many resets. */
  factsOf: number;
  next: Judgement | null;
  ending: 'final' | 'limit.rounds' | 'limit.resets' | '';
  isAnswering: boolean;
}

/** What the manager makes of where the work stands. Without a speaker nobody is to go on by this plan, or nobody was named who could. */
export interface Judgement {
  satisfied: boolean;
  reason: string;
  speaker?: string;
}

type MagenticRun = Run<MagenticProgress, PatternOptions<string, string>['magentic']>;

const taskLength = 32_000;

export function progressOf(): MagenticProgress {
  return {
    facts: '',
    plan: '',
    isPlanned: false,
    isDrafted: false,
    revisions: 0,
    feedback: '',
    reason: '',
    from: 0,
    task: '',
    round: 0,
    stalls: 0,
    resets: 0,
    factsOf: -1,
    next: null,
    ending: '',
    isAnswering: false,
  };
}

/** Facts first, then the plan; after a halt both anew, with everything heard that was said before it. */
export async function makePlan(run: MagenticRun): Promise<void> {
  const { progress } = run;
  if (progress.isDrafted) return;
  const isReset = progress.resets > 0;
  // Later on, what came from outside is no longer the task alone, and may have left the workflow.
  if (progress.factsOf < 0) progress.task ||= shortTask(run.heardFromOutside);
  if (progress.feedback) {
    progress.plan = await write(run, 'revisedPlan', 'the plan, revised');
  } else {
    // A run that continues as new in between asks again only for the plan.
    if (progress.factsOf < progress.resets) progress.facts = await write(run, isReset ? 'newFacts' : 'facts', 'the facts');
    progress.factsOf = progress.resets;
    progress.plan = await write(run, isReset ? 'newPlan' : 'plan', 'the plan');
  }
  Object.assign(progress, { isDrafted: true, feedback: '' });
  run.emit('plan.made', { facts: progress.facts.slice(0, 8000), plan: progress.plan.slice(0, 8000), reset: progress.resets });
}

function shortTask(task: string): string {
  return task.length > taskLength ? `${task.slice(0, taskLength)}\n(The rest of the task is left out.)` : task;
}

/** A person approves the plan, rejects it, or says what to change; as often as is allowed. */
export async function reviewPlan(run: MagenticRun): Promise<'approved' | 'revised' | 'rejected'> {
  const { planReview } = run.options;
  if (!planReview) return 'approved';
  const { maxRevisions = 5, ...patience } = planReview === true ? {} : planReview;
  const { progress } = run;
  const id = `plan-${progress.resets}-${progress.revisions}`;
  const mayRevise = progress.revisions < maxRevisions;
  const answer = await run.request(id, {
    kind: 'planReview',
    prompt: reviewPrompt(progress),
    schema: planReviewSchema(mayRevise),
    agent: managerOf(run),
    patience,
  });
  if (answer.response === undefined) {
    const { outcome = 'reject' } = answer as { outcome?: string };
    if (outcome === 'fail') throw fail('Request.Expired', `Nobody reviewed the plan ("${id}") in time.`, { final: true });
    if (outcome === 'approve') return 'approved';
    run.endsWith('plan.rejected', `Nobody reviewed the plan ("${id}") in time, so it counts as rejected.`);
    return 'rejected';
  }
  const { decision, feedback = '' } = decisionIn<{ decision: string; feedback?: string }>(answer.response);
  if (decision === 'approve') return 'approved';
  if (decision === 'reject') {
    run.endsWith('plan.rejected', 'The plan was rejected.');
    return 'rejected';
  }
  Object.assign(progress, { feedback: feedback || 'Make another one.', revisions: progress.revisions + 1, isDrafted: false });
  return 'revised';
}

/** The plan comes first: of what is very long, a person is shown the beginning. */
function reviewPrompt({ resets, reason, plan, facts }: MagenticProgress): string {
  const halt = resets > 0 ? `The work has come to a halt: ${reason.slice(0, 1000)}\n\n` : '';
  return `${halt}The plan:\n${plan}\n\nWhat is known:\n${facts}`;
}

/** The team begins, or begins anew: from here on it hears. */
export function tellPlan(run: MagenticRun): void {
  const { progress } = run;
  const told = progress.resets > 0 && progress.task ? `The task:\n${progress.task}\n\n` : '';
  const position = run.tell(told + fill(run, 'ledger'));
  Object.assign(progress, {
    isPlanned: true,
    isDrafted: false,
    revisions: 0,
    stalls: 0,
    next: null,
    ...(progress.resets > 0 && { from: position }),
  });
}

const ledgerKeys = ['is_request_satisfied', 'is_in_loop', 'is_progress_being_made', 'next_speaker', 'instruction_or_question'] as const;

interface Ledger extends JsonObject {
  is_request_satisfied: { reason: string; answer: boolean };
  is_in_loop: { reason: string; answer: boolean };
  is_progress_being_made: { reason: string; answer: boolean };
  next_speaker: { reason: string; answer: string };
  instruction_or_question: { reason: string; answer: string };
}

/** Counts stalls, and tells the next speaker what to do, if there is to be one. A ledger that cannot be used is a stall: it never ends a run, nor hangs it. */
export async function judge(run: MagenticRun, { maxRounds, maxStalls }: { maxRounds: number; maxStalls: number }): Promise<Judgement> {
  const { progress } = run;
  const manager = managerOf(run);
  const ledger = await run.ask<Ledger | { problem: string }>(manager, {
    about: 'the progress',
    question: fill(run, 'progress'),
    schema: ledgerSchema(run.agents),
    from: progress.from,
    check: (said) => problemOf(said as Ledger, run.agents),
    orElse: (problem) => ({ problem }),
  });
  const { speaker: named, satisfied, reason } = weigh(run, ledger);
  const speaker = progress.round < maxRounds && progress.stalls <= maxStalls ? named : undefined;
  const instruction = speaker ? (ledger as Ledger).instruction_or_question.answer : undefined;
  if (speaker && instruction) run.tell(instruction, { to: [speaker, manager] });
  run.emit('progress.judged', {
    satisfied,
    stalls: progress.stalls,
    reason: reason.slice(0, 1000),
    ...(speaker && { speaker }),
    ...(instruction && { instruction: instruction.slice(0, 2000) }),
  });
  return { satisfied, reason, ...(speaker && { speaker }) };
}

function weigh({ progress }: MagenticRun, ledger: Ledger | { problem: string }): Judgement {
  if (isProblem(ledger)) {
    progress.stalls += 1;
    return { satisfied: false, reason: ledger.problem };
  }
  const { is_request_satisfied: satisfied, is_in_loop: loop, is_progress_being_made: moving, next_speaker: next } = ledger;
  if (satisfied.answer) return { satisfied: true, reason: satisfied.reason };
  const isStalled = loop.answer || !moving.answer;
  progress.stalls = isStalled ? progress.stalls + 1 : Math.max(progress.stalls - 1, 0);
  const reason = loop.answer ? loop.reason : moving.answer ? next.reason : moving.reason;
  return { satisfied: false, reason, speaker: next.answer };
}

function isProblem(ledger: Ledger | { problem: string }): ledger is { problem: string } {
  return !('is_request_satisfied' in ledger);
}

function problemOf(ledger: Ledger, names: readonly string[]): string | undefined {
  if (ledger.is_request_satisfied.answer || names.includes(ledger.next_speaker.answer)) return undefined;
  return `next_speaker.answer must be one of ${names.join(', ')}, not ${show(ledger.next_speaker.answer)}`;
}

function ledgerSchema(names: readonly string[]): JsonObject {
  const entry = (answer: JsonObject) => ({
    type: 'object',
    properties: { reason: { type: 'string' }, answer },
    required: ['reason', 'answer'],
  });
  const yes = entry({ type: 'boolean' });
  const [satisfied, loop, moving, speaker, instruction] = ledgerKeys;
  const properties = {
    [satisfied]: yes,
    [loop]: yes,
    [moving]: yes,
    [speaker]: entry({ type: 'string', description: `One of: ${names.join(', ')}` }),
    [instruction]: entry({ type: 'string' }),
  };
  return { type: 'object', properties, required: [...ledgerKeys] };
}

/** The manager's own turn: the answer, or the best that there is when a limit was reached. */
export async function answer(run: MagenticRun, ending: Exclude<MagenticProgress['ending'], ''>): Promise<void> {
  const { progress } = run;
  const manager = managerOf(run);
  const isFinal = ending === 'final';
  if (!isFinal) {
    const limit = ending === 'limit.rounds' ? `rounds (${progress.round}) were taken` : `new plans (${progress.resets}) were made`;
    run.endsWith(ending, `The most ${limit} that are allowed; the task is not done.`, { incomplete: true });
  }
  if (!progress.isAnswering) run.tell(fill(run, isFinal ? 'finalAnswer' : 'partialAnswer'), { to: [manager] });
  progress.isAnswering = true;
  // Without a best effort there are still the last words of an agent.
  await run.turn(manager, { from: progress.from, onFailure: isFinal ? 'fail' : 'record' });
}

function managerOf({ options }: MagenticRun): string {
  return options.manager?.agent as string;
}

/** A text from the manager, which may come without its JSON. */
async function write(run: MagenticRun, prompt: keyof MagenticPrompts, about: string): Promise<string> {
  const schema = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
  const { text } = await run.ask<{ text: string }>(managerOf(run), {
    about,
    question: fill(run, prompt),
    schema,
    from: run.progress.from,
    check: ({ text: written }) => (written.trim() === '' ? 'text must not be empty' : undefined),
    orPlain: (plain) => ({ text: plain }),
  });
  return text;
}

function fill(run: MagenticRun, name: keyof MagenticPrompts): string {
  const { facts, plan, reason, feedback } = run.progress;
  const words: { [word: string]: string } = { team: run.describe(run.agents), names: run.agents.join(', '), facts, plan, reason, feedback };
  const prompt = run.options.prompts?.[name] ?? magenticPrompts[name];
  return prompt.replace(/\{(\w+)\}/g, (whole, word: string) => (Object.hasOwn(words, word) ? (words[word] as string) : whole));
}
