import type { Agent } from './agents/define-agent.js';
import type { Orchestration } from './agents/define-orchestration.js';
import type { NotifyFunction, RegisteredFunction } from './functions/define-function.js';
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
  /** Is told of requests to people: a function, or the name of one of `functions`. Beside it `OSTINATO_NOTIFY_URL` is told as well. */
  notify?: NotifyFunction | RegisteredFunction | string;
  /**
   * Module that exports patterns of one's own: `export * from 'ostinato/workflows'` and each `definePattern`.
   * @default the built-in patterns
   */
  workflowsPath?: string;
}
