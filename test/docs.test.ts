/** The documentation says what is built: what it can be held to by a machine, it is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { failures } from '../src/contract/failure.js';
import { settings, type Setting } from '../src/settings.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = ['README.md', 'CONTRIBUTING.md', 'AGENTS.md', 'CHANGELOG.md', 'examples/README.md', ...markdownIn('docs')];

test('the table of settings is the one of src/settings.ts, and the README has the most used of its rows', () => {
  const rowsOf = (page: string) => /(?<=^\| Variable .*\n\|[-|]+\n)(?:\|.*\n)+/m.exec(read(page))?.[0].trimEnd().split('\n') ?? [];
  const rows = settings.map(rowOf);

  expect(rowsOf('docs/configuration.md')).toEqual(rows);
  expect(rowsOf('README.md').length).toBeGreaterThan(5);
  for (const row of rowsOf('README.md')) expect(rows).toContain(row);
});

test('every failure has its heading in docs/failures.md, and no other has', () => {
  expect(firstWords(read('docs/failures.md'), /^## (.+)$/gm)).toEqual(Object.keys(failures));
});

test('every event has its row in docs/events.md, and no other has', () => {
  const types = /(?<=interface EventTypes \{\n).*?(?=^\})/ms.exec(read('src/contract/event.ts'))?.[0] ?? '';
  const rows = /(?<=^## Types\n).*?(?=^## )/ms.exec(read('docs/events.md'))?.[0] ?? '';

  expect(firstWords(rows, /^\| `([\w.]+)`/gm)).toEqual(firstWords(types, /^ {2}'?([\w.]+)'?: /gm));
});

test('the README is short enough to be read', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(230);
});

describe('every relative link leads somewhere', () => {
  test.each(pages)('%s', (page) => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string);

    expect(links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(link, page))).toEqual([]);
  });
});

test('every JSON document in the documentation can be read', () => {
  const documents = pages.flatMap((page) => blocksOf(page, 'json')).filter(({ text }) => !areEvents(text));

  expect(documents.length).toBeGreaterThan(0);
  for (const { page, text } of documents) expect(() => JSON.parse(text), `${page}:\n${text}`).not.toThrow();
});

test('every program in the documentation compiles against the package', () => {
  const programs = new Map(pages.flatMap((page) => blocksOf(page, 'js').map(({ text }) => [pathOf(page, text), text] as const)));

  expect(programs.size).toBeGreaterThan(4);
  expect(problemsOf(programs)).toEqual([]);
});

function firstWords(text: string, shape: RegExp): string[] {
  return [...text.matchAll(shape)].map(([, word]) => word as string);
}

function rowOf({ name, meaning, default: otherwise }: Setting): string {
  return `| \`${name}\` | ${meaning} | ${otherwise.startsWith('(') ? otherwise.slice(1, -1) : `\`${otherwise}\``} |`;
}

function leadsSomewhere(link: string, page: string): boolean {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return false;
  return (
    anchor === undefined ||
    firstWords(read(file), /^#+ (.+)$/gm)
      .map(anchorOf)
      .includes(anchor)
  );
}

/** `State.Newer` → `statenewer`, as GitHub names headings. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function blocksOf(page: string, language: string): { page: string; text: string }[] {
  const blocks = read(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'));
  return [...blocks].map(([, text]) => ({ page, text: text as string }));
}

/** One JSON document a line. */
function areEvents(text: string): boolean {
  return text.split('\n')[0]!.startsWith('{"type":');
}

/** Programs of a page may import each other by the name in their first line. They lie in a directory that does not exist. */
function pathOf(page: string, text: string): string {
  const [, name] = /^\/\/ ([\w.]+\.js)\n/.exec(text) ?? [];
  expect(name, `The program has no name in its first line, such as // ask.js, in ${page}:\n${text}`).toBeDefined();
  return join(root, 'blocks', page, name as string);
}

function problemsOf(programs: ReadonlyMap<string, string>): string[] {
  const entries = { '': 'index', '/client': 'client', '/worker': 'worker', '/testing': 'testing/index' };
  const inSandbox = { '/workflows': 'workflows/index', '/run': 'workflows/run/index' };
  const options: ts.CompilerOptions = {
    ...ts.convertCompilerOptionsFromJson(
      { target: 'ES2023', module: 'NodeNext', lib: ['ES2023', 'ESNext.Disposable'], types: ['node'] },
      root,
    ).options,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    skipLibCheck: true,
    strict: false,
    paths: Object.fromEntries(
      Object.entries({ ...entries, ...inSandbox }).map(([entry, file]) => [`ostinato${entry}`, [`${root}/src/${file}.ts`]]),
    ),
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.getCurrentDirectory = () => root;
  host.fileExists = (file) => programs.has(file) || fileExists(file);
  host.readFile = (file) => programs.get(file) ?? readFile(file);
  host.getSourceFile = (file, target, ...rest) => {
    const text = programs.get(file);
    return text === undefined ? getSourceFile(file, target, ...rest) : ts.createSourceFile(file, text, target);
  };
  host.directoryExists = undefined;
  const program = ts.createProgram([...programs.keys()], options, host);
  return [...programs.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start }) =>
        `${relative(join(root, 'blocks'), file)}:${source ? source.getLineAndCharacterOfPosition(start ?? 0).line + 1 : 0} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
