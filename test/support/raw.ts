/** Temporal's own calls, with payloads that no client of ours would send. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

export type RawPayload = temporal.api.common.v1.IPayload;
type Payloads = temporal.api.common.v1.IPayloads | undefined;

/** Bytes under the name of an encoding; without one, not even that. */
export function payload(encoding: string | undefined, data: string | Uint8Array): RawPayload {
  const metadata = encoding === undefined ? {} : { metadata: { encoding: Buffer.from(encoding) } };
  return { ...metadata, data: typeof data === 'string' ? Buffer.from(data) : data };
}

export function json(value: unknown): RawPayload {
  return payload('json/plain', JSON.stringify(value));
}

export class RawTemporal {
  constructor(private readonly environment: TestWorkflowEnvironment) {}

  async start(workflowId: string, taskQueue: string, type: string, input: RawPayload[] | undefined): Promise<void> {
    await this.#service.startWorkflowExecution({
      ...this.#common,
      workflowId,
      workflowType: { name: type },
      taskQueue: { name: taskQueue },
      input: payloadsOf(input),
    });
  }

  async signal(workflowId: string, signalName: string, input: RawPayload[] | undefined): Promise<void> {
    await this.#service.signalWorkflowExecution({
      ...this.#common,
      workflowExecution: { workflowId },
      signalName,
      input: payloadsOf(input),
    });
  }

  /** Why it was refused; `undefined` when it was not. */
  async update(workflowId: string, name: string, input: RawPayload[] | undefined): Promise<{ type: string; message: string } | undefined> {
    const { outcome } = await this.#service.updateWorkflowExecution({
      namespace: this.#common.namespace,
      workflowExecution: { workflowId },
      request: { meta: { updateId: randomUUID() }, input: { name, args: payloadsOf(input) } },
      waitPolicy: { lifecycleStage: 3 },
    });
    const failure = outcome?.failure;
    return failure ? { type: failure.applicationFailureInfo?.type ?? '', message: failure.message ?? '' } : undefined;
  }

  /** The answer. */
  async query(workflowId: string, queryType: string, input: RawPayload[] | undefined): Promise<unknown> {
    const { queryResult } = await this.#service.queryWorkflow({
      namespace: this.#common.namespace,
      execution: { workflowId },
      query: { queryType, queryArgs: payloadsOf(input) },
    });
    return JSON.parse(Buffer.from(queryResult?.payloads?.[0]?.data ?? '').toString());
  }

  get #service() {
    return this.environment.connection.workflowService;
  }

  get #common() {
    return { namespace: this.environment.client.options.namespace, requestId: randomUUID(), identity: 'somebody' };
  }
}

function payloadsOf(payloads: RawPayload[] | undefined): Payloads {
  return payloads && { payloads };
}

export function nestedJson(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

/** What a client sends instead of a large payload when Temporal's external storage is on. */
const reference: RawPayload = {
  metadata: { encoding: Buffer.from('json/protobuf'), messageType: Buffer.from('temporal.api.sdk.v1.ExternalStorageReference') },
  data: Buffer.from('{"driverName": "s3", "claimData": {}}'),
};

/** What nobody here can use, by what it is. */
export const garbage: [name: string, input: RawPayload[] | undefined][] = [
  ['no argument', undefined],
  ['an empty list of arguments', []],
  ['null', [payload('binary/null', '')]],
  ['a number', [json(7)]],
  ['a string', [json('hello')]],
  ['a list', [json(['hello'])]],
  ['a list nested too deep', [payload('json/plain', nestedJson(100_000))]],
  ['bytes that are not JSON', [payload('json/plain', '{"message": "hel')]],
  ['nothing where JSON should be', [payload('json/plain', '')]],
  ['bytes of a message', [payload('binary/plain', '{"message": "hello"}')]],
  ['an encoding nobody knows', [payload('xml/plain', '<message/>')]],
  ['an encrypted payload', [payload('binary/encrypted', randomBytes(300))]],
  ['a reference to a storage that is not ours', [reference]],
  ['a payload without an encoding', [payload(undefined, '{"message": "hello"}')]],
  ['a megabyte of noise', [payload('json/plain', randomBytes(1024 ** 2))]],
];
