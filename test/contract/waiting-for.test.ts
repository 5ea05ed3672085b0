import { expect, test } from 'vitest';
import { keyword, keywordsOf, waitingFor } from '../../src/contract/waiting-for.js';

test('a request is for its assignees, else for its role, else for anybody', () => {
  expect(waitingFor({ assignee: ['anna', 'ben'], role: 'finance' })).toEqual(['anna', 'ben']);
  expect(waitingFor({ assignee: [], role: 'finance' })).toEqual(['finance']);
  expect(waitingFor({})).toEqual(['anybody']);
});

test('several requests are found by each name once; none, by nobody', () => {
  expect(keywordsOf([{ assignee: ['ben', 'anna'] }, { assignee: ['anna'] }, {}])).toEqual(['anna', 'anybody', 'ben']);
  expect(keywordsOf([])).toEqual(['nobody']);
});

test('no name is one of the words that mean something else, nor what a database would choke on', () => {
  expect(keyword('nobody')).not.toBe('nobody');
  expect(keyword('\u0000\ud800')).toBe('anybody');
  expect(keyword(' an\u0007na ')).toBe('anna');
  expect(keyword('x'.repeat(5000))).toHaveLength(100);
});

test('a thousand names are as many as a search attribute can hold', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `${'名'.repeat(90)}${i}`);

  const kept = keywordsOf([{ assignee: names }]);

  expect(kept.length).toBeGreaterThan(1);
  expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThan(2048);
});
