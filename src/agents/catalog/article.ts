import { defineOrchestration } from '../define-orchestration.js';
import { analyst } from './analyst.js';
import { editor } from './editor.js';
import { writer } from './writer.js';

export const article = defineOrchestration({
  name: 'article',
  description: 'A document becomes an article: facts, a draft, and what an editor leaves of it.',
  pattern: 'sequential',
  agents: [analyst, writer, editor],
});
