/** What the source itself says, read with the TypeScript compiler: imports, exports, members of types. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files by path from the repository's root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
  specifier: string;
  /** Erased by the compiler: nothing of it is left at run time. */
  typeOnly: boolean;
}

/** Every TypeScript file of `src`. */
export function sourcesOfSrc(): Sources {
  const paths = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).map((path) => `src/${path.replaceAll('\\', '/')}`);
  return new Map(
    paths
      .filter((path) => path.endsWith('.ts'))
      .sort()
      .map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')]),
  );
}

/** All imports and re-exports of a file, `import()` in code and in types included. */
export function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier && ts.isStringLiteralLike(specifier)) found.push({ specifier: specifier.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    // `import { type A }` is kept by the compiler as an import of the module: only `import type` counts as types.
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node)) add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isExternalModuleReference(node)) add(node.expression, (node.parent as ts.ImportEqualsDeclaration).isTypeOnly);
    else if (ts.isCallExpression(node) && isImportCall(node)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(parse(path, text));
  return found;
}

/** Names that a file re-exports by value, and the file each comes from; anything else it does is named as a problem. */
export function reexportsOf(path: string, text: string): { names: Map<string, string>; others: string[] } {
  const names = new Map<string, string>();
  const others: string[] = [];
  for (const statement of parse(path, text).statements) {
    const plain = ts.isExportDeclaration(statement) && !statement.isTypeOnly && statement.moduleSpecifier;
    if (!plain || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) {
      others.push(statement.getText());
      continue;
    }
    for (const element of statement.exportClause.elements) names.set(element.name.text, (plain as ts.StringLiteral).text);
  }
  return { names, others };
}

/** Names that an entry exports, sorted; types are marked. */
export function exportsOf(path: string): string[] {
  const { checker, module } = moduleOf(path);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const isValue = target.flags & ts.SymbolFlags.Value && !symbol.declarations?.some(ts.isTypeOnlyExportDeclaration);
      return isValue ? symbol.name : `type ${symbol.name}`;
    })
    .sort();
}

/** Names of the members of an exported type, in the order in which they are written. */
export function membersOf(path: string, type: string): string[] {
  const { checker, module } = moduleOf(path);
  const symbol = checker.getExportsOfModule(module).find(({ name }) => name === type);
  if (!symbol) throw new Error(`${path} exports no ${type}.`);
  return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map(({ name }) => name);
}

let program: ts.Program | undefined;

function moduleOf(path: string): { checker: ts.TypeChecker; module: ts.Symbol } {
  program ??= ts.createProgram(
    [...sourcesOfSrc().keys()].map((file) => `${root}/${file}`),
    compilerOptions(),
  );
  const file = program.getSourceFile(`${root}/${path}`);
  if (!file) throw new Error(`There is no ${path}.`);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`${path} is not a module.`);
  return { checker, module };
}

function compilerOptions(): ts.CompilerOptions {
  const file = `${root}/tsconfig.json`;
  return ts.parseJsonConfigFileContent(ts.readConfigFile(file, (path) => readFileSync(path, 'utf8')).config, ts.sys, root).options;
}

function isImportCall(node: ts.CallExpression): boolean {
  const callee = node.expression;
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}
