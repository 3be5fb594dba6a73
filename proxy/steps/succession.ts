// An answer that broke after content, as far as another one can go on with it.

import type { AttemptRecord } from '../accounting/trail.ts';
import type { Failure } from '../canonical/failure.ts';
import { addUsage, type Usage } from '../canonical/usage.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import type { Backend } from '../config/snapshot.ts';
import type { ChatLane, Lane } from '../protocols/lane.ts';
import type { ClientCodec, Prefill } from '../protocols/protocol.ts';
import { protocolOf } from '../protocols/registry.ts';
import { guessInputTokens } from '../protocols/tokens/request-tokens.ts';
import { guessTextTokens } from '../protocols/tokens/text-guess.ts';
import type { Answer } from '../stream/answer.ts';
import type { Journey, Memory, Succession } from './journey.ts';
import type { BegunAnswer } from './translation.ts';

/** An attempt whose answer broke after content. */
export interface BrokenAttempt extends Pick<Memory, 'transcript'> {
  readonly answer: Answer;
  readonly record: AttemptRecord;
}

/** The succession of an answer that broke; undefined if nobody can go on with it. Gives the attempt its usage. */
export function succeed(
  journey: Journey,
  { answer, record, transcript }: BrokenAttempt,
  backend: Backend,
  failure: Failure,
): Succession | undefined {
  if (transcript?.resumable !== true || transcript.finished || !answer.framed) return undefined;
  // The client has something, and nobody could read it.
  if (transcript.parts.length === 0) return undefined;
  const { operation } = journey.request;
  const { chat: toOthers, ownChat: client = toOthers } = protocolOf(operation.protocol);
  const chat = client && readChat(journey, client, backend);
  // Of answers side by side, and of what stands beside the words, nobody could write the rest.
  if (client === undefined || chat === undefined || (chat.choiceCount ?? 1) !== 1 || chat.topLogprobs !== undefined) {
    return undefined;
  }
  const { text } = transcript;
  const tokens = guessTextTokens(text);
  record.usage = usageOf(answer.usage, tokens, () => guessInputTokens(chat));
  const { usageBefore, refusing = new Set<string>() } = journey.succession ?? {};
  return {
    transcript,
    begun: { text, tokens },
    client,
    chat,
    nextSequence: answer.nextSequence,
    usageBefore: usageBefore === undefined ? record.usage : addUsage(usageBefore, record.usage),
    failure: journey.succession?.failure ?? failure,
    refusing,
  };
}

function readChat({ translation }: Journey, client: ClientCodec, backend: Backend): CanonicalRequest | undefined {
  try {
    return translation.chat({ client }, backend);
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  }
}

/** What a broken answer has used: upstreams that count at the end have not done so, others have only begun. */
function usageOf(told: Usage | undefined, outputTokens: number, countInput: () => number): Usage {
  if (told === undefined) return { inputTokens: countInput(), outputTokens, estimated: true };
  return told.outputTokens >= outputTokens ? told : { ...told, outputTokens, estimated: true };
}

/** How a backend is asked to go on from what the client has; undefined: it is asked from the start. */
export function prefillOf(
  { succession }: Journey,
  backend: Backend,
  lane: Lane,
): { readonly lane: ChatLane; readonly prefill: Prefill; readonly begun: BegunAnswer } | undefined {
  if (succession === undefined || succession.refusing.has(backend.id)) return undefined;
  const chatLane = lane.type === 'chat' ? lane : lane.type === 'pass-through' ? lane.chat : undefined;
  const prefill = chatLane?.upstream.prefill;
  if (chatLane === undefined || prefill === undefined) return undefined;
  if (backend.modelConfig?.capabilities?.includes('Prefill') !== true) return undefined;
  const { begun, chat } = succession;
  if (begun.text.trim() === '' || !mayPrefill(chat)) return undefined;
  return { lane: chatLane, prefill, begun };
}

/** Models that think first, or whose text has a form, refuse a beginning or make nothing of it. */
function mayPrefill({ messages, thinking, reasoningEffort = 'none', responseFormat }: CanonicalRequest): boolean {
  if (thinking !== undefined && thinking.type !== 'off') return false;
  if (reasoningEffort !== 'none') return false;
  if (responseFormat !== undefined && responseFormat.type !== 'text') return false;
  return messages.at(-1)?.role !== 'assistant';
}
