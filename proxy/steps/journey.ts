// What the attempts of one request have in common, and what one of them leaves to the next.

import type { Trail } from '../accounting/trail.ts';
import type { Failure } from '../canonical/failure.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import type { Usage } from '../canonical/usage.ts';
import type { Rule } from '../config/snapshot.ts';
import type { ClientCodec, Prefill } from '../protocols/protocol.ts';
import type { Transcript } from '../protocols/transcript.ts';
import type { ProxyRequest } from './decode.ts';
import type { BegunAnswer, RequestTranslation } from './translation.ts';

/** What all attempts of a request have in common. */
export interface Journey {
  readonly request: ProxyRequest;
  readonly trail: Trail;
  readonly rule: Rule;
  /** Unix milliseconds at which the time for the whole request is over. */
  readonly deadlineAtMs: number;
  readonly translation: RequestTranslation;
  /** Set when an answer broke that the next attempts are to go on with. */
  succession?: Succession;
}

/** What is remembered of an answer, and how it was asked for. */
export interface Memory {
  /** Notes what the client is given; undefined where nobody would go on with it. */
  readonly transcript: Transcript | undefined;
  /** Set if the model was given the beginning of an answer. */
  readonly prefill: Prefill | undefined;
}

/** What whoever goes on with an answer has to know. */
export interface Succession {
  /** What the client has. */
  readonly transcript: Transcript;
  readonly begun: BegunAnswer;
  /** How what follows is written. */
  readonly client: ClientCodec;
  readonly chat: CanonicalRequest;
  /** The number of the next event, where the protocol numbers its events. */
  readonly nextSequence: number;
  /** What all answers so far have used. */
  readonly usageBefore: Usage;
  /** Why the client's answer broke: what it is told if nobody goes on. */
  readonly failure: Failure;
  /** Backends that have refused a beginning: they have no such capability. */
  readonly refusing: Set<string>;
}
