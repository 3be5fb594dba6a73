// As what an answer is read, by its head: an error, a stream, a whole, or bytes that nobody looks at.

import type { AnswerProtocol, StreamFormat } from '../protocols/protocol.ts';
import { serverSentEvents } from './sse-frames.ts';

/** Where the reading of an answer is. */
export type Phase = 'head' | 'error' | 'whole' | 'stream' | 'opaque' | 'over';

/** What the reading of an answer depends on beside its head. */
export interface PhaseFacts {
  /** Undefined: the operation's bytes are not looked at. */
  readonly protocol: AnswerProtocol | undefined;
  readonly stream: boolean;
  /** Statuses that the route takes for failures, beyond those that always are. */
  readonly isFailure: (status: number) => boolean;
}

/** The phase that follows the head. */
export function phaseOf(status: number, contentType: string | undefined, facts: PhaseFacts): Phase {
  const { protocol, stream, isFailure } = facts;
  if (status < 200 || status > 299 || isFailure(status)) return 'error';
  if (protocol === undefined) return 'opaque';
  return stream && mayBeStream(protocol.streamFormat, status, contentType) ? 'stream' : 'whole';
}

/** Plain servers do not name the type of their streams; what is in them is judged frame by frame. */
function mayBeStream(format: StreamFormat = serverSentEvents, status: number, type: string | undefined): boolean {
  return type === undefined ? status === 200 : format.contentTypes.test(type);
}
