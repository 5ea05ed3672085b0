/** What the command offers where there is no project of one's own: small agents to try things with. */
import { analyst } from './analyst.js';
import { article } from './article.js';
import { editor } from './editor.js';
import { writer } from './writer.js';

export { analyst, article, editor, writer };

export const exampleApplication = { agents: [analyst, writer, editor], orchestrations: [article] };
