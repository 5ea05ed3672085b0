/**
 * JSON texts as trees, for comparing them: no number is read, no member is lost or moved. Made of tokens, and of nothing that the code
 * under test uses.
 */
export type Tree = string | Tree[] | Map<string, Tree>;

/** Numbers, strings and words are their own text; escapes are read. */
export function treeOf(text: string): Tree {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[^\s"[\]{},:]+|[[\]{},:]/gs) ?? [];
  let at = 0;
  const next = () => tokens[at++] as string;
  const list = <Item>(end: string, item: () => Item): Item[] => {
    const items: Item[] = [];
    while (tokens[at] !== end) {
      items.push(item());
      if (tokens[at] === ',') at++;
    }
    at++;
    return items;
  };
  const value = (): Tree => {
    const token = next();
    if (token === '[') return list(']', value);
    if (token !== '{') return token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token;
    return new Map(
      list('}', () => {
        const name = JSON.parse(next()) as string;
        at++;
        return [name, value()] as const;
      }),
    );
  };
  return value();
}

export function textOfTree(tree: Tree): string {
  if (typeof tree === 'string') return tree;
  if (Array.isArray(tree)) return `[${tree.map(textOfTree).join(',')}]`;
  return `{${[...tree].map(([name, member]) => `${JSON.stringify(name)}:${textOfTree(member)}`).join(',')}}`;
}

/** The same text for what is equal but for the order of members. */
export function sorted(tree: Tree): string {
  if (typeof tree === 'string') return tree;
  if (Array.isArray(tree)) return `[${tree.map(sorted).join(',')}]`;
  const members = [...tree].map(([name, member]) => `${JSON.stringify(name)}:${sorted(member)}`);
  return `{${members.sort().join(',')}}`;
}

/** Members of a tree by path: `at(tree, 'data', 'conversationHistory', 0)`. */
export function at(tree: Tree, ...path: (string | number)[]): Tree | undefined {
  return path.reduce<Tree | undefined>((here, key) => {
    if (here instanceof Map) return here.get(String(key));
    return Array.isArray(here) ? here[key as number] : undefined;
  }, tree);
}

/** Entries and contents that do not begin with `$type`. */
export function withoutTypeFirst(document: Tree): Tree[] {
  const entries = (at(document, 'data', 'conversationHistory') ?? []) as Tree[];
  const messages = entries.flatMap((entry) => listAt(entry, 'messages'));
  const contents = messages.flatMap((message) => listAt(message, 'contents'));
  return [...entries, ...contents].filter((item) => !(item instanceof Map) || [...item.keys()][0] !== '$type');
}

function listAt(tree: Tree, name: string): Tree[] {
  const list = at(tree, name);
  return Array.isArray(list) ? list : [];
}
