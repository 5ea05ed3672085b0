/** Runs in a table, for a person. */
import type { RunSummary } from '../../client.js';
import type { Style } from '../terminal.js';
import { ago, short } from './words.js';

export function listText(runs: readonly RunSummary[], style: Style): string {
  const rows = runs.map(({ id, status, pattern, orchestration, agents = [], startedAt }) => [
    id,
    status.toLowerCase().replaceAll('_', ' '),
    orchestration && orchestration !== pattern ? `${orchestration} (${pattern})` : pattern,
    short(agents.join(', '), 40),
    ago(startedAt),
  ]);
  const [header = '', ...lines] = columns([['RUN', 'STATUS', 'WHAT', 'AGENTS', 'STARTED'], ...rows]);
  return [style.dim(header), ...lines].join('\n');
}

function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
