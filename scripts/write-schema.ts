/**
 * Writes schemas/durable-agent-entity-state.schema.json, for validators in other languages. A test says when it is out of date.
 *
 *     npm run schema:write
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { documentJsonSchema } from '../src/agent-state/schema.js';

const file = fileURLToPath(new URL('../schemas/durable-agent-entity-state.schema.json', import.meta.url));

await mkdir(new URL('../schemas', import.meta.url), { recursive: true });
await writeFile(file, await format(JSON.stringify(documentJsonSchema()), { ...(await resolveConfig(file)), filepath: file }));
console.log(`Written: ${file}`);
