/** Asks a Temporal server whether it can be used, within a bounded time, and says in words why not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError, type ConnectionOptions } from '@temporalio/client';

export interface ProbeOptions {
  namespace: string;
  timeoutMs: number;
  /** Wait for a server that does not listen yet. @default true */
  patient?: boolean;
}

export type Outcome = 'ok' | 'no namespace' | { reason: string };

export type Credentials = Pick<ConnectionOptions, 'address' | 'tls' | 'metadata'> & { apiKey?: string };

/** gRPC's own numbers. */
const codes = { deadlineExceeded: 4, notFound: 5, permissionDenied: 7, unimplemented: 12, unavailable: 14, unauthenticated: 16 };

/** Never throws, and never repeats a key. */
export async function probe(credentials: Credentials, { namespace, timeoutMs, patient = true }: ProbeOptions): Promise<Outcome> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  try {
    // The SDK's own retries are off: they hide the reason until time is up.
    const connection = Connection.lazy({ ...credentials, interceptors: [], channelArgs: fastReconnect });
    try {
      do {
        try {
          await connection.withDeadline(deadline, () => connection.workflowService.getSystemInfo({}));
          await connection.withDeadline(deadline, () => connection.workflowService.describeNamespace({ namespace }));
          return 'ok';
        } catch (error) {
          const code = codeOf(error);
          if (code === codes.notFound) return 'no namespace';
          // At the deadline gRPC says only that time is up; the error before it says why.
          if (code !== codes.deadlineExceeded || last === undefined) last = error;
          if (code !== codes.unavailable || !patient) break;
        }
        await sleep(Math.max(0, Math.min(200, deadline - Date.now())));
      } while (Date.now() < deadline);
    } finally {
      await connection.close();
    }
  } catch (error) {
    last = error;
  }
  return { reason: reasonOf(last, { tls: Boolean(credentials.tls ?? credentials.apiKey), timeoutMs, secrets: secretsOf(credentials) }) };
}

const fastReconnect = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000 };

/** Why a connection failed, in words of ours where we know it. */
export function reasonOf(error: unknown, about: { tls: boolean; timeoutMs?: number; secrets?: string[] }): string {
  let words = error instanceof Error ? error.message : String(error);
  for (const secret of about.secrets ?? []) words = words.replaceAll(secret, '[secret]');
  words = words
    .replace(/Resolution note:\s*$/, '')
    .replace(/\s+/g, ' ')
    .replace(/[\s.]+$/, '');
  const code = codeOf(error);
  if (/ECONNREFUSED/.test(words)) return 'nothing listens there (connection refused)';
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(words)) return 'the name of the host cannot be resolved';
  if (/wrong version number/.test(words))
    return 'it does not speak TLS, and TLS is on (TEMPORAL_TLS, or by way of an API key or certificate)';
  if (code === codes.unauthenticated || code === codes.permissionDenied)
    return `it does not let us in (${words}): check the API key or certificate, and the namespace`;
  if (code === codes.deadlineExceeded) return `no answer${about.timeoutMs ? ` within ${about.timeoutMs / 1000} seconds` : ''}`;
  if (code === codes.unimplemented || /Protocol error|ECONNRESET|Connection dropped/.test(words)) {
    return `what listens there does not answer as Temporal does${about.tls ? '' : ', or expects TLS (TEMPORAL_TLS=true)'} (${words})`;
  }
  return words;
}

function codeOf(error: unknown): number | undefined {
  return isGrpcServiceError(error) ? error.code : undefined;
}

function secretsOf({ apiKey, metadata }: Credentials): string[] {
  return [apiKey, ...Object.values(metadata ?? {})].filter((value): value is string => typeof value === 'string' && value.length > 3);
}
