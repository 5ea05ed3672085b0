/** The writing rules of durable-agent-entity-state 1.1.0, checked on the text of a document: what is broken, in words. */

const contentMembers: { [kind: string]: { required: string[]; optional?: string[] } } = {
  text: { required: ['text'] },
  data: { required: ['uri'], optional: ['mediaType'] },
  error: { required: [], optional: ['message', 'errorCode', 'details'] },
  functionCall: { required: ['callId', 'name'] },
  functionResult: { required: ['callId'] },
  hostedFile: { required: ['fileId'] },
  hostedVectorStore: { required: ['vectorStoreId'] },
  reasoning: { required: [], optional: ['text'] },
  uri: { required: ['uri', 'mediaType'] },
  usage: { required: [] },
  unknown: { required: [] },
};
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?[+-]\d\d:\d\d$/;

type Value = Record<string, unknown>;

export function problemsOfDocument(document: unknown): string[] {
  const problems: string[] = [];
  const root = JSON.parse(JSON.stringify(document)) as Value;
  const expect = (holds: boolean, rule: string) => {
    if (!holds) problems.push(rule);
  };
  expect(Object.keys(root).join() === 'schemaVersion,data', 'the root has schemaVersion, then data, and nothing else');
  expect(root.schemaVersion === '1.1.0', 'schemaVersion is 1.1.0');
  const history = (root.data as Value).conversationHistory as Value[];
  expect(Array.isArray(history), 'conversationHistory is a list');
  history.forEach((entry, i) => checkEntry(entry, `entry ${i}`, expect));
  return problems;
}

function checkEntry(entry: Value, at: string, expect: (holds: boolean, rule: string) => void): void {
  expect(Object.keys(entry)[0] === '$type', `${at}: $type is first`);
  expect(entry.$type === 'request' || entry.$type === 'response', `${at}: is a request or a response`);
  expect(typeof entry.correlationId === 'string', `${at}: has a correlationId`);
  expect(typeof entry.createdAt === 'string' && timestamp.test(entry.createdAt), `${at}: has a createdAt with a numeric offset`);
  expect(!Object.values(entry).includes(null), `${at}: has no nulls`);
  expect(entry.$type !== 'request' || entry.responseType === 'text', `${at}: a request wants text`);
  for (const [member, count] of Object.entries((entry.usage ?? {}) as Value))
    expect(Number.isInteger(count), `${at}: ${member} is a whole number`);
  (entry.messages as Value[]).forEach((message, i) => checkMessage(message, `${at}, message ${i}`, expect));
}

function checkMessage(message: Value, at: string, expect: (holds: boolean, rule: string) => void): void {
  expect(typeof message.role === 'string' && message.role !== '', `${at}: has a role`);
  for (const member of ['authorName', 'createdAt']) {
    expect(message[member] === undefined || typeof message[member] === 'string', `${at}: ${member} is a text or absent`);
  }
  for (const [i, content] of (message.contents as Value[]).entries()) {
    const where = `${at}, content ${i}`;
    const kind = contentMembers[String(content.$type)];
    expect(Object.keys(content)[0] === '$type', `${where}: $type is first`);
    expect(kind !== undefined, `${where}: ${String(content.$type)} is a known kind`);
    for (const member of kind?.required ?? []) expect(typeof content[member] === 'string', `${where}: has ${member}`);
    for (const member of kind?.optional ?? []) {
      expect(content[member] === undefined || typeof content[member] === 'string', `${where}: ${member} is a text or absent`);
    }
    if (content.$type === 'functionCall') expect(isObject(content.arguments), `${where}: arguments are an object`);
    if (content.$type === 'functionResult') expect(content.result !== null, `${where}: result is not null`);
    if (content.$type === 'usage')
      expect(isObject(content.usage) && !Object.values(content.usage).includes(null), `${where}: has usage without nulls`);
    if (content.$type === 'unknown') expect(isFilled(content.content), `${where}: unknown holds something`);
  }
}

function isObject(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFilled(value: unknown): boolean {
  return Boolean(value) && (typeof value !== 'object' || Object.keys(value as object).length > 0);
}
