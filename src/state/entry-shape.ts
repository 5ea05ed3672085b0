/** Entries of a transcript, as a run's state and its parts in the store hold them. */
import type { Shape } from './shape.js';

export const messageShape: Shape = { fields: { role: 'string', contents: { list: { fields: { $type: 'string' } } } } };

export const entryShape: Shape = {
  fields: {
    message: messageShape,
    turn: { optional: 'count' },
    audience: { optional: { list: 'string' } },
    opens: { optional: { fields: { id: 'string', agent: 'string', start: 'count', at: 'time' } } },
    blob: { optional: 'string' },
  },
};
