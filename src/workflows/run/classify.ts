/** Which routes a task takes: an agent or a function says labels, and each label leads to a member. */
import { fail } from '../../contract/failure.js';
import type { Json, JsonObject } from '../../contract/json.js';
import type { PatternOptions } from '../../contract/pattern.js';
import { show } from '../../contract/problems.js';
import type { Run } from './run.js';

type RoutingRun = Run<object, PatternOptions<string, string>['routing']>;

/** `-` in the place of `{ "labels": [] }`: nothing fits. */
interface Classification {
  labels: string[];
  reason?: string;
  confidence?: number;
  /** Why there is no label, when no answer could be used. */
  problem?: string;
}

/**
 * Names of members: one, or several with `match: 'all'`.
 *
 * @throws `Route.Unmatched` when no label fits and there is no default
 */
export async function classify(run: RoutingRun): Promise<string[]> {
  const { classifier, routes, default: otherwise, match = 'first' } = run.options;
  const said = 'function' in classifier ? await decide(run, classifier.function) : await askAgent(run, classifier.agent);
  const labels = said.labels.filter((label) => Object.hasOwn(routes, label)).slice(0, match === 'all' ? undefined : 1);
  const targets = [...new Set(labels.map((label) => targetOf(routes[label])))];
  if (targets.length === 0 && otherwise !== undefined) targets.push(otherwise);
  const { problem, reason = problem, confidence } = said;
  run.emit('route.taken', {
    labels: said.labels.map((label) => label.slice(0, 100)).slice(0, 50),
    targets,
    ...(reason !== undefined && { reason: reason.slice(0, 1000) }),
    ...(confidence !== undefined && { confidence }),
  });
  if (targets.length > 0) return targets;
  const found = said.labels.length > 0 ? said.labels.slice(0, 50).map(show).join(', ') : 'none';
  const known = Object.keys(routes).join(', ');
  const why = problem === undefined ? '' : ` ${problem}`;
  throw fail('Route.Unmatched', `No route fits the labels found (${found}), and there is no default. Routes: ${known}.${why}`, {
    final: true,
  });
}

function targetOf(route: PatternOptions['routing']['routes'][string] | undefined): string {
  return typeof route === 'string' ? route : (route?.agent ?? '');
}

async function askAgent(run: RoutingRun, agent: string): Promise<Classification> {
  const { routes, match = 'first' } = run.options;
  const labels = Object.keys(routes);
  const one = { enum: labels };
  // A route may have that name itself.
  const mayBeNone = !labels.includes('none');
  const said = await run.ask<{ label?: string; labels?: string[]; reason?: string; confidence?: number; problem?: string }>(agent, {
    about: 'the route',
    question: questionOf(run),
    schema: {
      type: 'object',
      properties: {
        ...(match === 'all' ? { labels: { type: 'array', items: one } } : { label: { enum: mayBeNone ? [...labels, 'none'] : labels } }),
        reason: { type: 'string' },
        confidence: { type: 'number', minimum: 0, maximum: 1 },
      },
      required: [match === 'all' ? 'labels' : 'label'],
    },
    // What fits no label even when asked again is unmatched: the default, or a failure of its own.
    orElse: (problem) => ({ labels: [], problem: `No answer of the classifier could be used. The last: ${problem}` }),
  });
  const isNone = said.label === undefined || (mayBeNone && said.label === 'none');
  return { ...said, labels: said.labels ?? (isNone ? [] : [said.label as string]) };
}

function questionOf({ options: { routes, match = 'first' } }: RoutingRun): string {
  const list = Object.entries(routes).map(([label, route]) => {
    const description = typeof route === 'string' ? undefined : route.description;
    return description === undefined ? `- ${label}` : `- ${label}: ${description}`;
  });
  const best = `Which of these labels fits best?${Object.hasOwn(routes, 'none') ? '' : ' Say "none" if none does.'}`;
  const which = match === 'all' ? 'Which of these labels fit? Name all that do.' : best;
  return `Classify the last message.\n${which}\n${list.join('\n')}`;
}

/** A label, a list of labels, or an object with them. */
async function decide(run: RoutingRun, name: string): Promise<Classification> {
  const returned = await run.call(name, { labels: Object.keys(run.options.routes) }, { since: 0 });
  const { label, labels = label, reason, confidence } = isObject(returned) ? returned : ({ label: returned } as JsonObject);
  const list = labels === null || labels === undefined ? [] : Array.isArray(labels) ? labels : [labels];
  if (!list.every((item): item is string => typeof item === 'string'))
    throw fail('Function.Failed', `The classifier "${name}" must return a label, a list of labels, or { label, reason }.`, { final: true });
  return {
    labels: list,
    ...(typeof reason === 'string' && { reason }),
    ...(typeof confidence === 'number' && { confidence }),
  };
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
