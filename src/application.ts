import type { Agent } from './agents/define-agent.js';
import type { Orchestration } from './agents/define-orchestration.js';
import type { RegisteredFunction } from './functions/define-function.js';
import type { ProvidersOptions } from './llm/providers.js';
import type { Tool } from './tools/define-tool.js';

/** What a worker can do. An application's `ostinato.config` file exports one of these. */
export interface Application {
  agents?: Agent[];
  tools?: Tool[];
  /** Functions that documents name; those that definitions hold as values need not be here. */
  functions?: RegisteredFunction[];
  orchestrations?: Orchestration[];
  /** Model providers of one's own. @default those of the settings, or the built-in stand-in */
  providers?: ProvidersOptions;
  /**
   * Module that exports patterns of one's own: `export * from 'ostinato/workflows'` and each `definePattern`.
   * @default the built-in patterns
   */
  workflowsPath?: string;
}
