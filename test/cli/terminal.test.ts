import { expect, test } from 'vitest';
import { printable } from '../../src/cli/terminal.js';
import { recordedTerminal } from './support.js';

test('with --json only documents reach standard output, one on a line', () => {
  const { terminal, out, err } = recordedTerminal({ json: true });

  terminal.line('for people');
  terminal.document({ for: 'machines' });
  terminal.note('beside it');

  expect(out()).toBe('{"for":"machines"}\n');
  expect(err()).toBe('beside it\n');
});

test('without --json no document is printed', () => {
  const { terminal, out } = recordedTerminal();

  terminal.document({ for: 'machines' });
  terminal.line('for people');

  expect(out()).toBe('for people\n');
});

test('there are colours on a screen and nowhere else', () => {
  expect(recordedTerminal({ isTTY: true }).terminal.style.red('x')).toBe('\u001b[31mx\u001b[39m');
  expect(recordedTerminal().terminal.style.red('x')).toBe('x');
});

test('progress overwrites itself on a screen, and is gone before anything else is said', () => {
  const { terminal, err } = recordedTerminal({ isTTY: true });

  terminal.progress('one');
  terminal.progress('two');
  terminal.note('done');

  expect(err().split('\r').at(-1)).toBe('\u001b[2Kdone\n');
});

test('progress is plain lines where nobody looks, and hints are nothing at all', () => {
  const { terminal, err } = recordedTerminal();

  terminal.progress('building (1 s)');
  terminal.hint('thinking (1 s)');

  expect(err()).toBe('building (1 s)\n');
});

test('a note does not end up in the middle of a line of words', () => {
  const { terminal, out, err } = recordedTerminal({ isTTY: true });

  terminal.write('Once upon');
  terminal.note('No worker is polling.');

  expect(out()).toBe('Once upon\n');
  expect(err()).toBe('No worker is polling.\n');
});

test('words of a model cannot steer the terminal', () => {
  expect(printable('a\u001b[2Jb\u0007\rc\u009bd\n\te')).toBe('a[2Jbcd\n\te');
});
