/** How a request is answered, for people: ready to be copied, whatever its run and itself are called. */
import { messages } from '../contract/names.js';
import type { Notice } from '../contract/notice.js';
import type { RequestView } from '../contract/request.js';

/** Where its run is. */
export interface AnswerPlace {
  namespace: string;
  taskQueue: string;
  /** With `{run}` and `{request}`. */
  link?: string | undefined;
}

type Asked = Pick<RequestView, 'requestId' | 'assignee'>;

/** Where only some may answer, an answer has to say that it is by one of them. */
export function answerTo({ namespace, taskQueue, link }: AnswerPlace, runId: string, request: Asked): NonNullable<Notice['answer']> {
  const { requestId, assignee: [by] = [] } = request;
  const input = JSON.stringify({ requestId, response: '…', ...(by !== undefined && { by }) });
  const url = link?.replace(/\{(run|request)\}/g, (_, which) => escaped(which === 'run' ? runId : requestId));
  return {
    command: line(
      'npx',
      'ostinato',
      'respond',
      runId,
      requestId,
      '…',
      ...(by === undefined ? [] : ['--by', by]),
      '--task-queue',
      taskQueue,
      '--namespace',
      namespace,
    ),
    temporal: line(
      ...['temporal', 'workflow', 'update', 'execute', '--namespace', namespace],
      ...['--workflow-id', runId, '--name', messages.respond, '--input', input],
    ),
    ...(url !== undefined && { url }),
  };
}

/** Half a character would be refused. */
function escaped(text: string): string {
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

/** Words as a POSIX shell takes them. */
function line(...words: string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}
