import { defineAgent } from '../define-agent.js';

export const analyst = defineAgent({
  name: 'analyst',
  description: 'Reads a document and lists what a reader must know.',
  instructions:
    'You analyse documents for a writer. List at most eight key facts, then the figures and the names that matter. ' +
    'Every line is short and stands in the document: add nothing of your own, and say so where the document is unclear.',
});
