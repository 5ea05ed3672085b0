/** The package root: how agents, tools and orchestrations are defined, and the types that cross boundaries. Safe to import anywhere. */
export { defineAgent, type Agent, type AgentOptions } from './agents/define-agent.js';
export { defineOrchestration, type Orchestration, type OrchestrationOptions } from './agents/define-orchestration.js';
export {
  defineFunction,
  type FunctionContext,
  type FunctionOptions,
  type NotifyContext,
  type NotifyFunction,
  type RegisteredFunction,
} from './functions/define-function.js';
export { defineTool, type Tool, type ToolContext, type ToolOptions } from './tools/define-tool.js';
export { parseAgentState } from './agent-state/parse.js';
export { serializeAgentState } from './agent-state/serialize.js';
export { isTurn } from './agent-state/document.js';
export type {
  AgentStateDocument,
  ExactJson,
  HistoryEntry,
  OtherKind,
  StateContent,
  StateMessage,
  StateRequest,
  StateResponse,
  StateUsage,
} from './agent-state/document.js';
export type { ExactNumber } from './agent-state/exact-number.js';
export { failures, failureOf, type FailureType } from './contract/failure.js';
export { patternNames, patterns, type PatternName, type PatternOptions } from './contract/pattern.js';
export { defaultTaskQueue } from './contract/names.js';
export { textOf } from './contract/message.js';
export type { AgentDefinition, Member, OrchestrationMember, ToolReference } from './contract/agent.js';
export type { Compaction, FunctionPolicy, SummaryPolicy } from './contract/compaction.js';
export type { EventType, EventTypes, RunEvent } from './contract/event.js';
export type { Json, JsonObject, Span } from './contract/json.js';
export type { Condition, Fired } from './contract/termination.js';
export type { ApprovalOptions, QuestionOptions, ReviewOptions } from './contract/approval.js';
export type { Patience } from './contract/patience.js';
export type { CallView, RequestKind, RequestView } from './contract/request.js';
export type { AuditEntry, AuditMark } from './contract/audit.js';
export type { Notice, NoticeType } from './contract/notice.js';
export type { Content, Message, MessageInput } from './contract/message.js';
export type {
  CancelInput,
  Checkpoint,
  InputShape,
  Limits,
  OutputShape,
  RespondInput,
  RunFrame,
  RunInput,
  RunResult,
  RunStatus,
  SayInput,
  StopInput,
  StopCode,
  StopReason,
  TurnStatus,
} from './contract/run.js';
export type {
  CommandStatus,
  ForkInput,
  RollbackInput,
  RunExport,
  SaveInput,
  Snapshot,
  SnapshotDefinition,
  SnapshotOrigin,
  SnapshotPolicy,
  SnapshotReason,
  SnapshotRecord,
} from './contract/snapshot.js';
export type { Entry, Segment, TranscriptPage, Usage } from './contract/transcript.js';
export type { Application } from './application.js';
