/** Runs in a table, for a person. */
import type { RunSummary } from '../../client.js';
import type { Style } from '../terminal.js';
import { ago, short } from './words.js';

export function listText(runs: readonly RunSummary[], style: Style): string {
  const rows = runs.map(({ id, status, pattern, orchestration, agents = [], startedAt, unreadable }) => [
    id,
    status.toLowerCase().replaceAll('_', ' '),
    orchestration && orchestration !== pattern ? `${orchestration} (${pattern})` : pattern,
    unreadable ? '(encrypted with a key that is not here)' : short(agents.join(', '), 40),
    ago(startedAt),
  ]);
  const [header = '', ...lines] = columns([['RUN', 'STATUS', 'WHAT', 'AGENTS', 'STARTED'], ...rows]);
  return [style.dim(header), ...lines].join('\n');
}

/** Says that there are more than are shown, and what shows them. */
export function moreText({
  found,
  limit,
  command,
}: {
  found: number;
  limit: number;
  command: (limit: number) => string;
}): string | undefined {
  return found > limit ? `These are the newest ${limit}; there are more:  ${command(limit * 5)}` : undefined;
}

export function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
