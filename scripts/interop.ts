/**
 * Reads and writes state documents together with Microsoft's own classes for Python, in both directions, and compares what comes out.
 * Needs Python 3.10 and, the first time, PyPI.
 *
 *     npm run test:interop
 */
import { readFileSync } from 'node:fs';
import { parseAgentState, serializeAgentState } from '../src/index.js';
import { at, treeOf, withoutTypeFirst, type Tree } from '../test/agent-state/text-tree.js';
import { differences, keptByPython } from './interop/compare.js';
import { documentsOfRuns } from './interop/documents.js';
import { openPython } from './interop/python.js';

interface Row {
  document: string;
  check: string;
  problems: string[];
}

const rows: Row[] = [];
const python = await openPython().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});

const files = ['every-kind', 'dotnet-session', 'dotnet-without-expiry', 'python-session', 'python-old-entries'];
const fixture = (name: string) => readFileSync(new URL(`../test/fixtures/agent-state/${name}.json`, import.meta.url), 'utf8');
const runs = await documentsOfRuns();
const ours = { ...runs, ...Object.fromEntries(files.map((name) => [name, again(fixture(name))])) };
// Not after all the fixtures: an empty `unknown` in one of them stops a session in Python for good.
const first = await python({ create: true, rewrite: ours, go_on: runs });

for (const [name, text] of Object.entries(ours)) {
  check(name, 'ours → Python → ours', () => differences(keptByPython(treeOf(text)), rereadOf(first.rewrite, name)));
}
for (const [name, text] of Object.entries(runs)) {
  check(name, 'ours → one more turn in Python → ours', () => {
    const history = historyOf(rereadOf(first.go_on, name));
    const before = historyOf(keptByPython(treeOf(text)));
    return [
      ...differences(before, history.slice(0, before.length)),
      ...differences(
        ['"request"', '"response"'],
        history.slice(before.length).map((entry) => at(entry, '$type') ?? 'null'),
      ),
    ];
  });
}

const theirs = first.create;
const back = Object.fromEntries(Object.entries(theirs).map(([name, text]) => [name, again(text)]));
const second = await python({ rewrite: back });
for (const [name, text] of Object.entries(theirs)) {
  // An empty id is what we write where Python has none.
  const expected = treeOf(text.replaceAll('"correlationId": null', '"correlationId": ""'));
  check(name, 'Python → ours', () => [
    ...differences(expected, treeOf(back[name] as string)),
    ...withoutTypeFirst(treeOf(back[name] as string)).map(() => '$type is not first'),
  ]);
  check(name, 'Python → ours → Python', () => differences(expected, treeOf(second.rewrite[name] as string)));
}
for (const [name, error] of Object.entries({ ...first.errors, ...second.errors })) check(name, 'Python reads it', () => [error]);

report();

function again(text: string): string {
  return serializeAgentState(parseAgentState(text));
}

/** What we write of what Python has written. */
function rereadOf(answers: { [name: string]: string }, name: string): Tree {
  const text = answers[name];
  if (text === undefined) throw new Error('Python returned nothing');
  return treeOf(again(text));
}

function historyOf(document: Tree): Tree[] {
  return at(document, 'data', 'conversationHistory') as Tree[];
}

function check(document: string, what: string, compare: () => string[]): void {
  try {
    rows.push({ document, check: what, problems: compare() });
  } catch (error) {
    rows.push({ document, check: what, problems: [error instanceof Error ? error.message : String(error)] });
  }
}

function report(): void {
  const width = Math.max(...rows.map(({ document }) => document.length));
  const wider = Math.max(...rows.map((row) => row.check.length));
  for (const { document, check, problems } of rows) {
    console.log(`${document.padEnd(width)}  ${check.padEnd(wider)}  ${problems.length === 0 ? 'equal' : `${problems.length} differences`}`);
    for (const problem of problems.slice(0, 10)) console.log(`    ${problem}`);
  }
  const failed = rows.filter(({ problems }) => problems.length > 0).length;
  console.log(`\n${rows.length - failed} of ${rows.length} checks found no difference.`);
  if (failed > 0) process.exitCode = 1;
}
