/** What the world outside is told of a request, so that it reaches a person: by a function, or by a webhook. */
import type { RequestView } from './request.js';
import type { StepInput } from './step.js';

export type NoticeType =
  | 'request.opened'
  | 'request.reminded'
  | 'request.escalated'
  /** It waits no more: what was shown to somebody can be taken back. */
  | 'request.answered'
  | 'request.expired'
  | 'request.withdrawn';

/** The document that a receiver gets. Members may be added; `version` says when one means something else. */
export interface Notice {
  version: 1;
  type: NoticeType;
  /** The same on every attempt: whoever gets it twice drops the second. */
  id: string;
  /** When there was something to tell. RFC 3339. */
  at: string;
  run: { id: string; pattern: string; orchestration?: string };
  /** A long prompt is cut short, a long schema or response is left out. */
  request: RequestView;
  /** How it is answered, as long as it waits. */
  answer?: {
    /** A command of ours. */
    command: string;
    /** The same for Temporal's own command. */
    temporal: string;
    /** Made of `OSTINATO_NOTIFY_LINK`. */
    url?: string;
  };
}

/** How a notice gets out of a worker. */
export type NoticeChannel = 'function' | 'webhook';

/** A notice on its way to the activity that makes the document of it. */
export interface NoticeDraft extends Pick<Notice, 'id' | 'type' | 'at' | 'request'> {
  /** Who has it already, from an attempt that others failed. */
  got?: NoticeChannel[];
}

/** One attempt at each of some notices. */
export interface NotifyInput extends StepInput {
  run: Omit<Notice['run'], 'id'>;
  notices: NoticeDraft[];
}

/** What became of them, by position. */
export interface NotifyOutput {
  outcomes: NoticeOutcome[];
}

export type NoticeOutcome =
  | { sent: true }
  | {
      sent: false;
      /** Without an address and without a secret. */
      reason: string;
      /** `notice`: trying again is of no use. `run`: nobody is there any more, for no notice of this run. */
      over?: 'notice' | 'run';
      /** The receiver asked not to be asked again before. */
      afterMs?: number;
      got?: NoticeChannel[];
    };
