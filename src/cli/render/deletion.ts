/** What was deleted of a run, and what was found afterwards. */
import type { DeletionReport } from '../../client.js';
import { count } from './words.js';

export function deletionText({ runId, status, removed, next, failure, proof }: DeletionReport): string {
  const { executions, snapshots, events, texts, bytes } = removed;
  const parts = [count(executions, 'execution'), count(snapshots, 'snapshot'), count(events, 'event')];
  if (status === 'pending') {
    const gone = executions + snapshots + events > 0 ? `${parts.join(', ')} deleted; its texts are` : 'it is';
    const when = next === undefined ? '' : `, not before ${next}`;
    return `${runId}: ${gone} still to be deleted${when}.${failure ? ` Last: ${failure.message}` : ''}`;
  }
  const kept =
    proof && proof.texts > 0
      ? ` ${count(proof.texts, 'text')} stay${proof.texts === 1 ? 's' : ''}: others refer to ${proof.texts === 1 ? 'it' : 'them'}.`
      : '';
  const looked = proof ? ` Looked for again at ${proof.at}: nothing else is there.` : '';
  return `${runId} is deleted: ${[...parts, `${count(texts, 'text')} (${kilobytes(bytes)} kB)`].join(', ')}.${kept}${looked}`;
}

function kilobytes(bytes: number): string {
  return (bytes / 1024).toLocaleString('en-US', { maximumFractionDigits: 1 });
}
