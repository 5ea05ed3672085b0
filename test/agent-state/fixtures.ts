import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../fixtures/agent-state/', import.meta.url);

export const fixtureNames = readdirSync(folder).filter((name) => name.endsWith('.json'));

export function fixture(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

/** A document around some entries. */
export function documentOf(...conversationHistory: unknown[]) {
  return { schemaVersion: '1.1.0', data: { conversationHistory } };
}

/** A response with one message of these contents. */
export function responseOf(...contents: unknown[]) {
  return {
    $type: 'response',
    correlationId: 'c',
    createdAt: '2026-01-31T09:00:00+00:00',
    messages: [{ role: 'assistant', contents }],
  };
}
