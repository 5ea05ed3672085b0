import { describe, expect, test } from 'vitest';
import { auditCsv, auditText } from '../../../src/cli/render/audit.js';
import { Terminal } from '../../../src/cli/terminal.js';
import type { AuditEntry } from '../../../src/contract/audit.js';

const at = '2026-11-27T09:00:00.000Z';
const entry: AuditEntry = { requestId: 'question-1', kind: 'question', prompt: 'Green?', askedAt: at, status: 'pending' };
const { style } = new Terminal({ out: process.stdout, err: process.stderr, colours: false });

describe('the record for a person', () => {
  test('says who was asked what, what happened, and what came of it', () => {
    const text = auditText(
      [
        {
          ...entry,
          agent: 'clerk',
          assignee: ['bob'],
          role: 'finance',
          status: 'answered',
          by: 'bob',
          response: { decision: 'approve' },
          settledAt: at,
          trail: [
            { at, what: 'reminded' },
            { at, what: 'escalated', assignee: ['eve'] },
          ],
          branch: 1,
        },
        entry,
      ],
      style,
    );

    expect(text.split('\n')).toEqual([
      `question-1  question from clerk to bob, finance, ${at}`,
      'Green?',
      'after the run had been put back once',
      `${at}: reminded`,
      `${at}: escalated to eve`,
      `${at} answered by bob: approve`,
      '',
      `question-1  question, ${at}`,
      'Green?',
      'still waits',
    ]);
  });

  test('leaves out what would steer a terminal', () => {
    const text = auditText([{ ...entry, prompt: 'a\u001b[2Jb', by: '\u0007x', status: 'answered' }], style);

    for (const control of ['\u0007', '\u001b']) expect(text).not.toContain(control);
  });
});

describe('the record as a table', () => {
  test('has a line for each request, quoted as RFC 4180 says', () => {
    const csv = auditCsv([{ ...entry, prompt: 'Green,\n"or" black?', response: { end: true }, status: 'answered' }]);

    expect(csv.split('\r\n')[0]).toBe(
      'requestId,kind,agent,assignee,role,askedAt,status,by,settledAt,response,prompt,expiresAt,reminders,escalatedFrom,trail,call,branch,isCut',
    );
    expect(csv).toContain(`question-1,question,,,,${at},answered,,,"{""end"":true}","Green,\n""or"" black?",,,,,,,\r\n`);
  });

  test.each(['=1+1', '+1', '-1', '@x', '\tx'])('takes %j for words, not for a formula', (prompt) => {
    expect(auditCsv([{ ...entry, prompt }])).toContain(`'${prompt}`);
  });
});
