import { auditPartType, type AuditPart, type WriteAuditInput, type WriteAuditOutput } from '../contract/audit.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';

/** One more part of the record of requests. Safe to repeat: the same content has the same id. */
export function createWriteAudit({ store }: { store: Store }) {
  return async function writeAudit({ previous, count, entries, ...base }: WriteAuditInput): Promise<WriteAuditOutput> {
    await publishEvents(store.events, base);
    const part: AuditPart = { type: auditPartType, previous, count, entries };
    return { id: await store.blobs.put(JSON.stringify(part)) };
  };
}
