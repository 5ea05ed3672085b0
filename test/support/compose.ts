/** docker-compose.yml as Compose reads it: with variables filled in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ComposeFile {
  services: { [name: string]: ComposeService };
  volumes: { [name: string]: unknown };
}

export interface ComposeService {
  image: string;
  build?: string;
  restart?: string;
  command?: string[];
  entrypoint?: string[];
  environment?: { [name: string]: string };
  env_file?: { path: string; required: boolean }[];
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: { [service: string]: { condition: string } };
}

export interface Variables {
  [name: string]: string;
}

/** @throws as Compose does, with the file's own words, when a variable is missing that has to be there */
export function readCompose(variables: Variables): ComposeFile {
  return parse(composeText(), (_, value: unknown) => (typeof value === 'string' ? filledIn(value, variables) : value)) as ComposeFile;
}

/** As it is written: variables are not filled in. */
export function rawCompose(): ComposeFile {
  return parse(composeText()) as ComposeFile;
}

/** What is set in `.env.example`. */
export function exampleVariables(): Variables {
  const lines = readFileSync(join(root, '.env.example'), 'utf8').matchAll(/^(\w+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value] as [string, string]));
}

function composeText(): string {
  return readFileSync(join(root, 'docker-compose.yml'), 'utf8');
}

/** `${NAME}`, `${NAME:-otherwise}`, `${NAME:?what to do}`, and `$$` for a dollar sign. */
function filledIn(text: string, variables: Variables): string {
  return text.replace(/\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})/g, (whole, name?: string, kind?: string, words?: string) => {
    if (name === undefined) return '$';
    const value = variables[name] || undefined;
    if (value === undefined && kind === '?') throw new Error(`${whole}: ${words}`);
    return value ?? (kind === '-' ? words! : '');
  });
}
