import { defineAgent } from '../define-agent.js';

export const writer = defineAgent({
  name: 'writer',
  description: "Writes an article from a document and the analyst's facts.",
  instructions:
    'You write articles for curious readers who know nothing of the matter. Use the document, led by the facts that the analyst listed: ' +
    'give it a title, begin with what is surprising, and keep to short paragraphs. Every name and figure comes from the document.',
});
